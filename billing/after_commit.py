"""This module runs work after the commit, so that its failure undoes nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction


def after_commit(work: Callable[..., object], *args: Any) -> None:
    """Call `work(*args)` after the commit, and not after a rollback. An error in it is logged and not raised.

    Django logs the name of what it called: a `partial` has none, and then the error would leave the committed block.
    """

    @wraps(work)
    def call() -> None:
        work(*args)

    transaction.on_commit(call, robust=True)

"""The one way to do something once a transaction is committed, for work whose failure must undo nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction


def after_commit(work: Callable[..., object], *args: Any) -> None:
    """Call `work(*args)` after the commit, not at all after a rollback; an error of it is logged and goes no further.

    Django logs the name of what it called: a `partial` has none, and then the error would leave the committed block.
    """

    @wraps(work)
    def call() -> None:
        work(*args)

    transaction.on_commit(call, robust=True)

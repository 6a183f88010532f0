"""A check finds at most one problem, and reports it with a stable id and with what to set."""

from collections.abc import Callable
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS

from billing.commands import spelled

Problem = tuple[str, str] | None  # the problem, what to set


class Check:
    """Django calls the check. `about` says what holds if nothing is found, a line for docs/api.md.

    A check that reads the database looks only for `migrate` and `check --database default`.
    """

    def __init__(self, check_id: str, about: str, look: Callable[[], Problem], *, reads_database: bool = False) -> None:
        self.id, self.about, self.look, self.reads_database = check_id, about, look, reads_database

    def __call__(self, **kwargs: Any) -> list[checks.CheckMessage]:
        if self.reads_database and DEFAULT_DB_ALIAS not in (kwargs.get("databases") or ()):
            return []
        found = self.look()
        level = checks.Error if self.id.startswith("billing.E") else checks.Warning
        return [level(spelled(found[0]), hint=spelled(found[1]), id=self.id)] if found else []


def finds(check_id: str, *, reads_database: bool = False) -> Callable[[Callable[[], Problem]], Check]:
    """Turn a function into a check; the first line of its docstring says what should hold."""

    def decorate(look: Callable[[], Problem]) -> Check:
        return Check(check_id, (look.__doc__ or "").strip().splitlines()[0], look, reads_database=reads_database)

    return decorate

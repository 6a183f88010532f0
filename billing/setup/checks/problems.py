"""A check finds at most one problem, and reports it with a stable id and with what to set."""

from collections.abc import Callable
from typing import Any

from django.core import checks

Problem = tuple[str, str] | None  # the problem, what to set


class Check:
    """Django calls the check. `about` says what holds if nothing is found, a line for docs/api.md."""

    def __init__(self, check_id: str, about: str, look: Callable[[], Problem]) -> None:
        self.id, self.about, self.look = check_id, about, look

    def __call__(self, **kwargs: Any) -> list[checks.CheckMessage]:
        found = self.look()
        level = checks.Error if self.id.startswith("billing.E") else checks.Warning
        return [level(found[0], hint=found[1], id=self.id)] if found else []


def finds(check_id: str) -> Callable[[Callable[[], Problem]], Check]:
    """Turn a function into a check; the first line of its docstring says what should hold."""

    def decorate(look: Callable[[], Problem]) -> Check:
        return Check(check_id, (look.__doc__ or "").strip().splitlines()[0], look)

    return decorate

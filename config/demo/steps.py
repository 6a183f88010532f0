"""A step of the demo's story acts, and says what must come of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """An outcome is the state that the subscriber must see after a step, and the mails they must have got."""

    plan: str
    status: str
    reason: str
    mails: list[str] = field(default_factory=list)

    @property
    def has_access(self) -> bool:
        return self.reason in {"active", "trialing", "grace", "grant"}


@dataclass(frozen=True)
class Step:
    title: str
    act: Callable[[], Any]
    outcome: Outcome

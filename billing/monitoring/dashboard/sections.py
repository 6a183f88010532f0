"""The dashboard shows its sections in this order: billing's own, then those that other apps add."""

from collections.abc import Callable

from . import (
    cancellations,
    cards,
    cohorts,
    growth,
    payments,
    plans,
    receivables,
    recovery,
    revenue,
    reversals,
    webhooks,
)
from .parts import Section
from .scope import Scope

Make = Callable[[Scope], Section]

OWN: tuple[Make, ...] = (
    growth.section,
    revenue.section,
    cohorts.section,
    plans.section,
    cancellations.section,
    payments.section,
    recovery.section,
    receivables.section,
    reversals.section,
    cards.section,
    webhooks.section,
)
_added: list[Make] = []


def add(make: Make) -> None:
    """Add the section of another app, in `AppConfig.ready`; a section added twice is shown once."""
    if make not in _added:
        _added.append(make)


def all_sections(scope: Scope) -> list[Section]:
    return [make(scope) for make in (*OWN, *_added)]


def section_named(scope: Scope, key: str) -> Section | None:
    """Return the section with this key; None if there is none."""
    return next((section for section in all_sections(scope) if section.key == key), None)

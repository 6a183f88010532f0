"""This package changes the core, one place at a time, and lists the changes that no test notices.

    python -m bench.mutants --seed 1 2 3 --count 100

It draws so many single changes for each seed, runs the tests that touch each (nearest first, until one fails), and
lists the changes that survived. It never touches the working tree: each change is made in memory, in a fork.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The core: modules, and rooms with all their modules (docs/rooms.md).
CORE = (
    "billing.access",
    "billing.catalogue",
    "billing.events.applying",
    "billing.events.ledger",
    "billing.events.parsing",
    "billing.events.placement",
    "billing.events.receivers",
    "billing.events.stamping",
    "billing.events.sweep",
    "billing.lanes",
    "billing.lifecycle",
    "billing.payments",
    "billing.subscriptions",
    "billing.sync",
    "billing.usage",
    "notifications.outbox",
    "notifications.reasons",
    "notifications.receivers",
)

# Where the tests of the core are; what looks at pages in a browser or reads the docs is left out.
TESTS = ("billing/tests", "notifications/tests", "accounts/tests", "config/tests")
NOT_TESTS = ("billing/tests/browser", "billing/tests/hosts", "config/tests/docs")


def sources() -> list[Path]:
    """Return the files of the core, relative to the project's root."""
    return sorted(path.relative_to(ROOT) for name in CORE for path in _files(ROOT.joinpath(*name.split("."))))


def _files(place: Path) -> list[Path]:
    return list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]

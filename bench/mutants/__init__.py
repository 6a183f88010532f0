"""Changes to the core, drawn by a seed, that the tests should notice.

    python -m bench.mutants --seed 1 2 3 --count 100

draws so many single changes for each seed, runs the tests that touch each (nearest first, until one fails), and lists
what lived. The working tree is never touched: the processes of a mutant are forks that change code in memory.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The core: modules, and packages with all their modules.
CORE = (
    "billing.access",
    "billing.subscriptions.cards",
    "billing.catalogue",
    "billing.subscriptions.comps",
    "billing.payments.disputes",
    "billing.subscriptions.holds",
    "billing.lanes",
    "billing.events.ledger",
    "billing.lifecycle",
    "billing.payments",
    "billing.subscriptions.pending",
    "billing.events.placement",
    "billing.events.applying",
    "billing.events.prefetching",
    "billing.events.stamping",
    "billing.events.sweep",
    "billing.events.receivers",
    "billing.payments.refunds",
    "billing.subscriptions.seats",
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
    """The files of the core, relative to the project's root."""
    return sorted(path.relative_to(ROOT) for name in CORE for path in _files(ROOT.joinpath(*name.split("."))))


def _files(place: Path) -> list[Path]:
    return list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]

"""Everything Stripe has, held against our rows."""

from collections.abc import Callable

from billing.models import SyncRun


def sweep(run: SyncRun, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Filled in next."""

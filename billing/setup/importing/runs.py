"""An import runs alone: it draws up a plan, then carries it out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from billing import catalogue, cause, clock, stripe_account, stripe_client
from billing.models import SyncRun
from billing.sync import OVERLAP_SECONDS, AnotherRuns, FullRun, alone, full, is_free

from . import linking, planning, prices
from .matching import Pairs
from .planning import Plan

Progress = Callable[[str], None]


def run(match: Pairs, teach: dict[str, str], progress: Progress, *, is_dry: bool, writes_metadata: bool) -> Plan:
    """Run the import. `teach`: price id → plan slug. Raises `WrongUse`, `AnotherRuns`, `LaneLost`, and Stripe's
    errors.

    The import takes the sync's lane, so that neither meets the other half-way; a dry run takes no lane and writes
    nothing.
    """
    with cause.recorded_as("import"), stripe_client.patient():
        if not is_dry:
            with alone() as renew:

                def tick(text: str) -> None:
                    renew()
                    progress(text)

                return _run(match, teach, tick, is_dry=False, writes_metadata=writes_metadata)
        if not is_free():
            raise AnotherRuns
        return _run(match, teach, progress, is_dry=True, writes_metadata=False)


def _run(match: Pairs, teach: dict[str, str], tick: Progress, *, is_dry: bool, writes_metadata: bool) -> Plan:
    row = _new()
    stripe_account.ask()
    stripe_account.refuse_if_any_elsewhere()
    known = prices.learn(teach, is_dry=is_dry)
    with catalogue.prices_remembered(is_dry=is_dry, known=known):
        plan = planning.draw_up(match, tick)
        if not is_dry:
            with _recorded(row, plan):
                work = FullRun(row, row.started_at, is_dry=False, invoices=full.open_invoices())
                linking.carry_out(plan, row, work, tick)
                if writes_metadata:
                    linking.write_metadata(plan, tick)
    return plan


def _new() -> SyncRun:
    """Make a row for the import among the runs of the sync. If no sync has run before, the first one must skip the
    last month's events of imported customers, since nobody wants those receipts again."""
    is_first = not SyncRun.objects.exclude(watermark=None).exists()
    newest = stripe_client.get("/v1/events", limit=1)["data"] if is_first else []
    watermark = newest[0]["created"] + OVERLAP_SECONDS + 1 if newest else None
    now = timezone.now()
    return SyncRun(mode=SyncRun.Mode.ROUTINE, started_at=now, clock_at=clock.now(), watermark=watermark)


@contextmanager
def _recorded(row: SyncRun, plan: Plan) -> Iterator[None]:
    row.save()
    try:
        yield
    except BaseException as error:
        row.status, row.error = SyncRun.Status.FAILED, f"{type(error).__name__}: {error}"[:2000]
        raise
    else:
        row.status = SyncRun.Status.DONE
        row.imported = len(plan.links)
        row.notes = [f"import_customers. {plan.summary(is_dry=False)}"]
    finally:
        row.finished_at = timezone.now()
        row.save()

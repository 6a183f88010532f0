"""The report of a run is kept on its row, and printed in one line or in detail."""

from datetime import date
from typing import Any

from billing.models import Plan, StripeEvent, SyncRun

from .comparing import Differences

MOST_DRIFTS = 200
MOST_NOTES = 20
BEHIND = (StripeEvent.Status.FAILED, StripeEvent.Status.DEAD, StripeEvent.Status.RECEIVED)


def drift(run: SyncRun, customer: str, differences: Differences, cause: str) -> None:
    """Note the differences of a customer, up to the first few hundred of a run."""
    run.drifted += len(differences)
    subject = {"customer": customer}
    for name, (ours, theirs) in sorted(differences.items()):
        if len(run.drifts) < MOST_DRIFTS:
            field = name.rpartition(" ")[2]
            values = {"ours": _shown(field, ours), "theirs": _shown(field, theirs)}
            run.drifts.append({**subject, "field": _field(name), **values, "cause": cause})


def not_noted_yet(run: SyncRun, customer: str, differences: Differences) -> Differences:
    """Return the differences that the report does not have: a dry run, which corrects nothing, may meet one again."""
    noted = {row["field"] for row in run.drifts if row["customer"] == customer}
    return {name: found for name, found in differences.items() if _field(name) not in noted}


def _field(name: str) -> str:
    return name.removesuffix("_id")


def note(run: SyncRun, text: str) -> None:
    if text not in run.notes and len(run.notes) < MOST_NOTES:
        run.notes.append(text)


def likely_cause(customer: str) -> str:
    """Return the customer's unprocessed event that explains the difference; "unknown" if there is none."""
    behind = StripeEvent.objects.filter(lane=customer, status__in=BEHIND).order_by("-created", "-id")
    found = behind.values_list("status", "pk").first()
    if found is None:
        return "unknown"
    return f"event {found[1]} not processed yet" if found[0] == "received" else f"failed event {found[1]}"


def summary(run: SyncRun, *, is_dry: bool = False) -> str:
    """Return the one line of a cron job's mail."""
    done = [
        f"found {count(run.missed, 'missed event')}",
        f"compared {count(run.compared, 'object')}",
        *([f"imported {run.imported:,}"] if run.imported else []),
        _differences(run, is_dry),
        *([f"left out {count(run.troubled, 'customer')} in trouble"] if run.troubled else []),
        f"made {count(run.calls, 'call')} in {run.seconds:.1f} s",
    ]
    name = f"{'Dry run, nothing written' if is_dry else 'Synced with Stripe'} ({run.mode})"
    notes = f" Note: {' '.join(run.notes)}" if run.notes else ""
    return f"{name}: {', '.join(done)}.{notes}"


def _differences(run: SyncRun, is_dry: bool) -> str:
    if is_dry or not run.drifted:
        return f"found {count(run.drifted, 'difference') if run.drifted else 'no difference'}"
    return f"corrected {run.healed:,} of {count(run.drifted, 'difference')}"


def details(run: SyncRun) -> list[str]:
    """Return the events by type, then every difference that was kept."""
    events = [f"  {count:>6,}  {name}" for name, count in sorted(run.events.items())]
    return events + [
        f"  {row['customer']}  {row['field']}: {_or_none(row['ours'])} → {_or_none(row['theirs'])}  ({row['cause']})"
        for row in run.drifts
    ]


def as_json(run: SyncRun, *, is_dry: bool = False) -> dict[str, Any]:
    return {
        "mode": run.mode,
        "dry_run": is_dry,
        "status": run.status,
        "started_at": run.started_at.isoformat(),
        "seconds": round(run.seconds, 3),
        "watermark": run.watermark,
        "events": {"found": run.missed, "by_type": run.events},
        "compared": run.compared,
        "imported": run.imported,
        "drifted": run.drifted,
        "healed": run.healed,
        "troubled": run.troubled,
        "drifts": run.drifts,
        "calls": run.calls,
        "notes": run.notes,
        "error": run.error,
    }


def count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _or_none(value: Any) -> Any:
    return "none" if value is None or value == "" else value


def _shown(name: str, value: Any) -> Any:
    if name == "email":
        return _masked(value)
    if name == "plan_id" and value is not None:
        return Plan.objects.filter(pk=value).values_list("slug", flat=True).first()
    return value.isoformat() if isinstance(value, date) else value


def _masked(address: str) -> str:
    """Mask the address, since runs are kept for good and the person may leave; two can still be told apart."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain[:1]}…" if domain else ""

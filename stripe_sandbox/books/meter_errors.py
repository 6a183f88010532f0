"""Errors in meter events are gathered for ten seconds, and reported by a thin event two seconds later
(https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api)."""

from typing import Any

from .. import thin_events
from ..events import iso
from ..store import Object, State
from .due import job

SPAN, DELAY, SAMPLES = 10, 2, 10
GATHERED = "meter errors"


def note(state: State, meter: Object | None, code: str, message: str, identifier: str) -> None:
    """Note an error; `identifier` is the request's idempotency key, or where there is none the event's own."""
    start = state.now() - state.now() % SPAN
    key = f"{meter['id'] if meter else ''} {start}"
    gathered = state.note(GATHERED)
    if key not in gathered:
        gathered[key] = []
        state.schedule(start + SPAN + DELAY, "meter_errors_reported", key)
    gathered[key].append([code, message, state.request["idempotency_key"] or identifier])


@job
def meter_errors_reported(state: State, key: str) -> None:
    errors = state.note(GATHERED).pop(key, [])
    meter, _, start = key.partition(" ")
    data = {
        "developer_message_summary": _summary(len(errors)),
        "reason": {"error_count": len(errors), "error_types": _by_type(errors)},
        "validation_end": iso(int(start) + SPAN),
        "validation_start": iso(int(start)),
    }
    if meter:
        thin_events.emit(state, "v1.billing.meter.error_report_triggered", data, state.get("billing.meter", meter))
    else:
        thin_events.emit(state, "v1.billing.meter.no_meter_found", data)


def _summary(count: int) -> str:
    return "There is 1 invalid event" if count == 1 else f"There are {count} invalid events"


def _by_type(errors: list[list[str]]) -> list[dict[str, Any]]:
    by_code: dict[str, list[dict[str, Any]]] = {}
    for code, message, identifier in errors:
        by_code.setdefault(code, []).append({"error_message": message, "request": {"identifier": identifier}})
    return [
        {"code": code, "error_count": len(samples), "sample_errors": samples[:SAMPLES]}
        for code, samples in by_code.items()
    ]

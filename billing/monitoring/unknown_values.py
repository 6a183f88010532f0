"""If Stripe sends a value that we do not know, what was known stays, and staff see it.

A newer API version, or Stripe's beta, may add a status. Each reader says which values it knows; for any other it keeps
what our row had. Staff are alerted once about each value, the doctor lists them, and the event has a note.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.utils import timezone

from billing.after_commit import after_commit
from billing.models import Alert

from . import alerts

CAUSE = "unknown_value:"
LONGEST = 60
OFTEN = timedelta(hours=1)
TODO = "Nothing was concluded from it: what was known stays. Look at it in Stripe's dashboard, and update this package."

_met: ContextVar[list[str] | None] = ContextVar("billing_unknown_values", default=None)


def is_known(field: str, value: object, known: Collection[object], object_id: str) -> bool:
    """Return whether `value` of a field, such as `dispute.status`, is known to the caller; if not, alert staff."""
    if value in known:
        return True
    shown = str(value)[:LONGEST]
    met = _met.get()
    if met is not None:
        met.append(f"{field} of {object_id} is {shown}, which we do not know: what was stays.")
    after_commit(_tell, field, shown, object_id)
    return False


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect sentences on the unknown values that are met inside, for the note of an event."""
    met: list[str] = []
    token = _met.set(met)
    try:
        yield met
    finally:
        _met.reset(token)


def recent() -> list[Alert]:
    """Return the alerts about unknown values of the last 30 days, newest first."""
    since = timezone.now() - timedelta(days=30)
    return list(Alert.objects.filter(cause__startswith=CAUSE, raised_at__gt=since).order_by("-raised_at"))


def _tell(field: str, value: str, object_id: str) -> None:
    """Alert staff once about each value; later the alert's row only shows the latest object."""
    cause = f"{CAUSE}{field}={value}"[:100]
    text = f"Stripe says that {field} of {object_id} is {value!r}, which this version of billing does not know.\n{TODO}"
    known = Alert.objects.filter(pk=cause)
    if known.filter(raised_at__gt=timezone.now() - OFTEN).exists():
        return
    if not known.update(text=text, raised_at=timezone.now()):
        alerts.alert_staff(cause, f"Stripe sent an unknown {field}: {value}", text)

"""A belief is what an integration says of one customer, and of one live subscription of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from billing import clock
from billing.setup.importing.matching import WrongUse

YES, NO = frozenset({"1", "true", "t", "yes", "y"}), frozenset({"0", "false", "f", "no", "n"})
# Old and hand-made code has other words for some of Stripe's statuses.
STATUSES = {"cancelled": "canceled", "pastdue": "past_due", "trial": "trialing", "free": "none"}
FIELDS = (
    "customer",
    "subscription",
    "subscriber",
    "status",
    "price",
    "period_end",
    "cancel_at_period_end",
    "access",
    "access_until",
)


@dataclass(frozen=True)
class Belief:
    """None stands for a fact that the integration says nothing about: it is not compared.

    `status` is one of Stripe's, or "none" for no live subscription. `price` is a price at Stripe, its lookup key, or
    the slug of a plan. `period_end` without a time means that day in UTC.
    """

    customer: str
    subscription: str | None = None
    subscriber: str | None = None
    status: str | None = None
    price: str | None = None
    period_end: datetime | date | None = None
    cancels: bool | None = None
    has_access: bool | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Belief":
        """Read a row with keys of FIELDS; an empty value says nothing. Raises `WrongUse`."""
        if not isinstance(row, Mapping):
            raise WrongUse(f"must be an object with the keys {', '.join(FIELDS)}")
        if unknown := sorted(str(key) for key in row if key not in FIELDS):
            raise WrongUse(f"unknown column {unknown[0]!r}; known are {', '.join(FIELDS)}")
        said = {key: value for key, value in row.items() if value is not None and value != ""}
        customer = _text(said, "customer") or ""
        if not customer.startswith("cus_"):
            raise WrongUse(f"`customer` must be a customer at Stripe (cus_…), and is {customer!r}")
        status = _text(said, "status")
        return cls(
            customer=customer,
            subscription=_text(said, "subscription"),
            subscriber=_text(said, "subscriber"),
            status=STATUSES.get(status.lower(), status.lower()) if status else None,
            price=_text(said, "price"),
            period_end=_moment(said, "period_end"),
            cancels=_answer(said, "cancel_at_period_end"),
            has_access=_access(said),
        )


def _text(said: Mapping[str, Any], key: str) -> str | None:
    return str(said[key]).strip() if key in said else None


def _access(said: Mapping[str, Any]) -> bool | None:
    """Return whether they give access: `access` says it, else `access_until`, which is compared with our clock."""
    until = _moment(said, "access_until")
    if "access" in said or until is None:
        return _answer(said, "access")
    now = clock.now()
    return until > now if isinstance(until, datetime) else until >= now.astimezone(UTC).date()


def _answer(said: Mapping[str, Any], key: str) -> bool | None:
    text = (_text(said, key) or "").lower()
    if text and text not in YES | NO:
        raise WrongUse(f"`{key}` must be true or false, and is {text!r}")
    return text in YES if text else None


def _moment(said: Mapping[str, Any], key: str) -> datetime | date | None:
    """Return a moment in UTC, from Stripe's seconds or ISO 8601 (without a zone it is UTC); a day for a date alone."""
    given = said.get(key)
    text = str(given or "").strip()
    if not text:
        return None
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        found = given if isinstance(given, datetime) else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise WrongUse(f"`{key}` must be ISO 8601 (2026-12-01T09:30:00Z) or seconds, and is {text!r}") from error
    if found.time() == time.min and len(text) == len("2026-12-01"):
        return found.date()
    return found if found.tzinfo else found.replace(tzinfo=UTC)

"""An address alone does not prove a link: anybody can sign up with an address that is not theirs."""

from dataclasses import replace
from typing import Any

from django.db.models import DateTimeField

from billing import confirmed
from billing.models import listed_subscribers

from .matching import Listed, Pair, Pairs, WrongUse, by_email, portions, subscribers

USUAL = "date_joined"


def by_trusted_email(name: str, joined: str) -> Pairs:
    """Match by e-mail, with the doubt about each pair. `joined` is the field with the date on which the subscriber
    joined; it is required only if no setting tells confirmed addresses. Raises `WrongUse`."""
    since = "" if confirmed.is_asked() else _joined(joined)
    match = by_email(name)
    return lambda listed: _doubted(match(listed), listed, since)


def _joined(name: str) -> str:
    model = subscribers()
    known = [field.name for field in model._meta.concrete_fields if isinstance(field, DateTimeField)]
    found = name or USUAL
    if found in known:
        return found
    raise WrongUse(
        f"Nothing says that an address is a subscriber's own. Set BILLING_EMAIL_IS_CONFIRMED, or name the field of "
        f"{model.__name__} that says when they joined: --joined {known[0] if known else 'created_at'}"
    )


def _doubted(pairs: list[Pair], listed: dict[str, Listed], since: str) -> list[Pair]:
    rows: dict[Any, Any] = {}
    for some in portions([pair.subscriber for pair in pairs if pair.subscriber is not None]):
        rows |= listed_subscribers().in_bulk(some)
    return [replace(pair, doubt=_doubt(rows.get(pair.subscriber), listed[pair.customer], since)) for pair in pairs]


def _doubt(subscriber: Any, customer: Listed, since: str) -> str:
    if subscriber is None:
        return ""
    if confirmed.is_asked():
        return "unconfirmed" if confirmed.is_unconfirmed(subscriber) else ""
    return "joined_later" if int(getattr(subscriber, since).timestamp()) > customer.created else ""

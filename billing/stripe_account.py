"""Our key belongs to one Stripe account and mode, and each customer lives in one; customers of another are left alone.

Stripe is asked whose a key is when a customer is made, by the sync, the import and the doctor, and never by a drain.
"""

import hashlib
import time
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from billing import stripe_client
from billing.commands import spelled
from billing.conf import conf
from billing.models import Customer, StripeKey
from billing.stripe_client import StripeRefused

REMEMBERED_SECONDS = 60
ASKED_LATELY = timedelta(minutes=10)
_remembered: dict[str, tuple[float, str]] = {}


class OfAnotherAccount(Exception):
    """The customer lives in another Stripe account or mode than our key: nothing that Stripe answers is about them."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(
            f"{customer.pk} is a customer of {_where(customer.account, customer.livemode)}, and STRIPE_SECRET_KEY is "
            f"of {_where(known(), conf.live_mode)}"
        )


class WrongAccount(Exception):
    """Customers of ours are not in the account of our key, so nothing may be concluded from what it contains."""


def ask() -> str:
    """Ask Stripe whose our key is, keep the answer and return it; "" if the key may not read its account, and never
    could.

    Raises `StripeUnavailable`.
    """
    try:
        account = str(stripe_client.get("/v1/account")["id"])
    except StripeRefused:
        account = known()
    asked = {"account": account, "asked_at": timezone.now()}
    StripeKey.objects.update_or_create(pk=_fingerprint(), defaults=asked)
    _remembered.pop(conf.api_key, None)
    return account


def known() -> str:
    """Return the account of our key, as Stripe said last; "" if it is not known. A process keeps it for a minute."""
    until, account = _remembered.get(conf.api_key, (0.0, ""))
    if time.monotonic() < until:
        return account
    found = StripeKey.objects.filter(pk=_fingerprint()).values_list("account", flat=True).first() or ""
    if found:
        _remembered[conf.api_key] = (time.monotonic() + REMEMBERED_SECONDS, found)
    return found


def reset() -> None:
    """Forget what this process remembers."""
    _remembered.clear()


def ask_once() -> None:
    """Ask Stripe whose our key is, unless it has been asked about this key. Raises `StripeUnavailable`."""
    if not known() and not StripeKey.objects.filter(pk=_fingerprint()).exists():
        ask()


def ask_again() -> str:
    """Return whose our key is, asked within the last minutes. Raises `StripeUnavailable`."""
    asked = StripeKey.objects.filter(pk=_fingerprint(), asked_at__gt=timezone.now() - ASKED_LATELY).first()
    return ask() if asked is None else asked.account


def columns() -> dict[str, Any]:
    """Return the columns of a customer that was just seen at Stripe."""
    return {"account": known(), "livemode": conf.live_mode}


def note_seen(customer: Customer) -> None:
    """Note that Stripe knows the customer, by our key; no query if that is known."""
    if customer.account and customer.livemode is not None and customer.missing_since is None:
        return
    seen = {"account": customer.account or known(), "livemode": conf.live_mode, "missing_since": None}
    if any(getattr(customer, name) != value for name, value in seen.items()):
        for name, value in seen.items():
            setattr(customer, name, value)
        customer.save(update_fields=list(seen))


def note_all_seen(customers: dict[str, Customer]) -> None:
    """Note that Stripe lists these customers, by id, in one statement; none if all that is known."""
    new = [
        row.pk for row in customers.values() if not row.account or row.livemode is None or row.missing_since is not None
    ]
    if new:
        rows = Customer.objects.filter(pk__in=new)
        rows.update(livemode=conf.live_mode, missing_since=None)
        rows.filter(account="").update(account=known())


def note_missing(customer_id: str) -> None:
    """Note that Stripe said "no such customer"; the moment of the first time stays."""
    Customer.objects.filter(pk=customer_id, missing_since=None).update(missing_since=timezone.now())


def elsewhere() -> QuerySet[Customer]:
    """Return the customers who live in another account or mode than our key."""
    return of_another_account().filter(deleted_at=None)


def of_another_account() -> QuerySet[Customer]:
    """Return the customers of another account or mode than our key, also those who were ended."""
    differs = Q(livemode=not conf.live_mode)
    if account := known():
        differs |= ~Q(account__in=["", account])
    return Customer.objects.filter(differs)


def is_elsewhere(customer: Customer) -> bool:
    """Return whether the customer lives in another account or mode than our key; one who was ended is of no account."""
    if customer.deleted_at is not None:
        return False
    if customer.livemode is not None and customer.livemode != conf.live_mode:
        return True
    return bool(customer.account) and known() not in ("", customer.account)


def refuse_if_elsewhere(customer: Customer) -> None:
    """Raise `OfAnotherAccount` for a customer whom our key does not reach."""
    if is_elsewhere(customer):
        raise OfAnotherAccount(customer)


def refuse_if_any_elsewhere() -> None:
    """Raise `WrongAccount` while customers of ours live in another account or mode."""
    if text := trouble():
        raise WrongAccount(text)


def trouble() -> str:
    """Return what staff must know about customers of another account or mode; "" if there are none."""
    rows = elsewhere().order_by("account", "pk")
    first = rows.first()
    if first is None:
        return ""
    there, here = _where(first.account, first.livemode), _where(known(), conf.live_mode)
    is_mode = first.livemode is not None and first.livemode != conf.live_mode
    left = _mode(not conf.live_mode) if is_mode else first.account
    return spelled(
        f"STRIPE_SECRET_KEY is of {here}, but {rows.count():,} of our customers live elsewhere, for example {first.pk} "
        f"in {there}. Use the key of that account and mode. If you have left it for good, end its customers here: "
        f"manage.py sync_stripe --leave {left}"
    )


def _where(account: str, livemode: bool | None) -> str:
    mode = "" if livemode is None else f" in {_mode(livemode)} mode"
    return f"{account or 'an account that it may not read'}{mode}"


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"


def _fingerprint() -> str:
    return hashlib.sha256(conf.api_key.encode()).hexdigest()[:16]

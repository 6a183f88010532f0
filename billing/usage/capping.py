"""A subscriber sets a cap on what a month may cost beyond the limits, and is told once a month when it is reached."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing import cause, clock, signals
from billing.conf import conf
from billing.models import AccountDeletion, SpendCap, Usage

from . import overage
from .allowances import Allowance, allowance

MOST = 2**53
OF_LATE = timedelta(minutes=10)
MONTH = timedelta(days=32)


class CapRefused(ValueError):
    """The cap was not set; the message says why."""


def set_cap(subscriber: Any, amount: int, currency: str, policy: str = SpendCap.Policy.STOP) -> SpendCap:
    """Set the subscriber's own cap, in place of BILLING_SPEND_CAP. Raises `CapRefused`.

    `amount` is minor units a month; 0 stops at the limits.
    """
    if isinstance(amount, bool) or not 0 <= amount <= MOST:
        raise CapRefused(_("The cap must be 0 or more."))
    if policy not in SpendCap.Policy.values:
        words = _("The policy must be one of {policies}.")
        raise CapRefused(words.format(policies=", ".join(SpendCap.Policy.values)))
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise CapRefused(_("The currency must be three letters, such as usd."))
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise CapRefused(_("The account is being deleted."))
    columns = {"amount": amount, "currency": currency.lower(), "policy": policy}
    who = {"set_at": clock.now(), "set_by": cause.current()}
    cap = SpendCap.objects.update_or_create(subscriber=subscriber, defaults={**columns, **who})[0]
    Usage.objects.filter(subscriber=subscriber, has_announced_cap=True).update(has_announced_cap=False)
    return cap


def remove_cap(subscriber: Any) -> bool:
    """Remove the subscriber's own cap, so that BILLING_SPEND_CAP counts again; return whether there was one."""
    return bool(SpendCap.objects.filter(subscriber=subscriber).delete()[0])


def spent(subscriber: Any, granted: Allowance, currency: str) -> Decimal:
    """Return what the running month has cost beyond the limits so far, minor units."""
    rows = overage.running(subscriber, granted)
    return sum((row.cost for row in rows if row.currency == currency), overage.ZERO)


def reached_by(subscriber: Any) -> overage.Cap | None:
    """Return the cap that a subscriber is at now; None if they are at none."""
    granted = allowance(subscriber)
    found = (overage.terms_of(subscriber, granted, feature) for feature in sorted(granted.overage))
    return next((terms.cap for terms in found if terms and _is_at_cap(subscriber, granted, terms)), None)


def _is_at_cap(subscriber: Any, granted: Allowance, terms: overage.Terms) -> bool:
    if terms.cap is None:
        return False
    cost = spent(subscriber, granted, terms.cap.currency)
    return cost >= terms.cap.amount or (terms.cap.stops and cost + terms.unit > terms.cap.amount)


def announce_reached() -> int:
    """Send `spend_cap_reached` about those who used something of late and are at their cap; return of how many."""
    if not conf.spend_cap and not SpendCap.objects.exists():
        return 0
    now = clock.now()
    rows = Usage.objects.filter(has_overage=True, has_announced_cap=False, period_start__gt=now - MONTH)
    rows = rows.filter(overage__gt=0, overage_at__gt=now - OF_LATE).select_related("subscriber")
    return sum(_announce(row) for row in rows.order_by("pk"))


@transaction.atomic
def _announce(row: Usage) -> bool:
    granted = allowance(row.subscriber)
    terms = overage.terms_of(row.subscriber, granted, row.feature)
    if terms is None or terms.cap is None or row.period_start != granted.period_of(row.feature)[0]:
        return False
    if not _is_at_cap(row.subscriber, granted, terms):
        return False
    same = Usage.objects.filter(subscriber=row.subscriber, period_start=row.period_start, has_overage=True)
    if same.filter(has_announced_cap=True).exists() or not same.update(has_announced_cap=True):
        return False
    signals.spend_cap_reached.send(
        sender=Usage,
        subscription=terms.subscription,
        subscriber=row.subscriber,
        amount=terms.cap.amount,
        currency=terms.cap.currency,
        policy=terms.cap.policy,
        resets_at=granted.period_of(row.feature)[1],
    )
    return True

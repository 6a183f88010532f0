"""An invoice that Stripe Tax cannot tax, since the customer has no address, is asked about and finalized later.

1. Stripe leaves it as a draft, or sends it without tax and switches the subscription's tax off. Its row says so, and
   the subscriber is asked for the address, once for each invoice.
2. As soon as the customer has an address at Stripe, we owe Stripe the finalizing, and the tax of the subscription.
3. If Stripe does not know that place either, nothing more is done until the customer has another address.
"""

import hashlib
import json
from typing import Any

from billing import clock, signals, subscriptions
from billing.lanes import writes
from billing.models import Customer, Invoice, StripeWrite, Subscription
from billing.stripe_client import fetch, readers

TOLD = (Invoice.Purpose.PLAN, Invoice.Purpose.ONE_OFF)
Action = StripeWrite.Action
TAXED_BY = frozenset({"address", "shipping"})


def ask_for_address(customer: Customer, row: Invoice) -> None:
    """Announce that an invoice lacks the address; if the customer has one since, owe what follows from that."""
    if not row.lacks_address or row.purpose not in TOLD:
        return
    if row.announced_address_at is None:
        row.announced_address_at = clock.now()
        row.save(update_fields=["announced_address_at"])
        subscription = subscriptions.row_for(customer, row.subscription_id)
        signals.tax_address_missing.send(sender=Invoice, subscription=subscription, invoice=row)
    resume_tax(customer)


def resume_tax(customer: Customer) -> None:
    """Owe Stripe the finalizing of drafts, and the tax of subscriptions, that waited for the customer's address. Call
    it holding the lane. Nothing waits where no subscription is taxed automatically, which costs no query.
    """
    known = fetch.subscriptions(customer.pk)
    if known and not any(map(readers.has_automatic_tax, known)):
        return
    drafts = list(Invoice.objects.awaiting_address().filter(customer=customer))
    untaxed = Subscription.objects.filter(customer=customer, lacks_address=True)
    untaxed = untaxed.exclude(status__in=Subscription.TERMINAL).exclude(whose=Subscription.Whose.FOREIGN)
    untaxed_ids = list(untaxed.values_list("stripe_id", flat=True))
    if not drafts and not untaxed_ids:
        return
    found = _at_stripe(customer)
    if not readers.has_address(found):
        return
    place = _digest(found)
    for draft in drafts:
        writes.owe(customer, draft.pk, place, Action.FINALIZE_INVOICE)
    for subscription_id in untaxed_ids:
        writes.owe(customer, subscription_id, place, Action.RESTORE_TAX)


def _at_stripe(customer: Customer) -> dict[str, Any]:
    """Return the customer, which comes along with its subscriptions."""
    expanded = (each["customer"] for each in fetch.subscriptions(customer.pk) if isinstance(each["customer"], dict))
    return next(expanded, None) or fetch.customer(customer.pk)


def _digest(found: dict[str, Any]) -> str:
    """Return a reference for the place: what failed there is not tried again before there is another one."""
    told = json.dumps([found.get("address"), found.get("shipping")], sort_keys=True)
    return f"address:{hashlib.sha256(told.encode()).hexdigest()[:32]}"

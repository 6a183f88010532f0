"""Metered items bill use beyond the limits: Checkout sells them, changes of plan bring them along, the worker mends
what differs."""

from typing import Any

from billing import stripe_client, subscriptions, usage
from billing.catalogue import overage
from billing.lanes import Claim, commit_under, standing_writes
from billing.models import Price
from billing.stripe_client import id_of
from billing.subscriptions import overage as items_of

from . import phases
from .live_subscription import Standing, standings_of
from .refusals import ChangePending

Object = dict[str, Any]


def checkout_lines(price: Price, currency: str) -> list[Object]:
    """Return the lines of a Checkout beside the plan's. What is billed by usage has no quantity."""
    return [{"price": pk} for pk in items_of.wanted_prices(price, currency or price.currency, {}).values()]


def beside(now: Standing, price: Price) -> list[Object]:
    """Return the changes of metered items that go with a change to this price."""
    return items_of.changed_items(now.found["items"]["data"], price, now.found["currency"])


def in_phase(now: Standing, price: Price) -> list[Object]:
    """Return the metered items of the phase that follows a change to this price."""
    items = now.found["items"]["data"]
    mine = overage.known(id_of(item["price"]) for item in items)
    wanted = items_of.wanted_prices(price, now.found["currency"], mine)
    held = {mine[item["price"]["id"]].feature: item for item in items if item["price"]["id"] in mine}
    return [
        phases.item_of(held[feature]) if feature in held and held[feature]["price"]["id"] == pk else {"price": pk}
        for feature, pk in wanted.items()
    ]


def report_before(now: Standing) -> None:
    """Report what was used so far, before a change of what bills it. Raises `StripeUnavailable`."""
    if has_metered(now):
        usage.reporting.flush(now.id)


def has_metered(now: Standing) -> bool:
    """Return whether any item bills use beyond a limit of ours."""
    return bool(overage.known(id_of(item["price"]) for item in now.found["items"]["data"]))


def write_items(rows: standing_writes.Rows, claim: Claim) -> None:
    """Bring the metered items at Stripe in line with the plans. Call it holding the lane, with no transaction open.

    Raises `StripeUnavailable`, `StripeRefused`, and `ChangePending` while a change of plan waits.
    """
    customer = standing_writes.customer_of(rows)
    if customer is None:
        return
    with stripe_client.drain_reads():
        standings = standings_of(customer)
    key = standing_writes.key_of(rows)
    written = [_write_if_different(now, f"{key}:{now.id}") for now in standings]
    if any(written):
        with stripe_client.drain_reads() as reads:
            commit_under(claim, reads, lambda: subscriptions.refresh(customer))


def _write_if_different(now: Standing, key: str) -> bool:
    changes = beside(now, now.price) if now.status in items_of.BILLED else []
    if not changes:
        return False
    if now.has_pending_update or now.awaited or now.schedule:
        raise ChangePending
    usage.reporting.flush(now.id)
    # What was used by an item that goes is billed with the next invoice.
    how = "none" if now.is_trial else "create_prorations"
    stripe_client.post(f"/v1/subscriptions/{now.id}", idempotency_key=key, items=changes, proration_behavior=how)
    return True

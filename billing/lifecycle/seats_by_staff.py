"""Staff set the quantity of a plan where no BILLING_SEATS counts it. The difference stands on the next invoice."""

from billing import stripe_client
from billing.stripe_client import id_of
from billing.subscriptions import seats

from .change_rules import check_changeable
from .live_subscription import Standing
from .refusals import ChangePending, PriceNotOffered

MOST = 1_000_000


def check(now: Standing, quantity: int) -> None:
    """Refuse a quantity that somebody else counts, that the price does not have, or while a change is pending."""
    check_changeable(now)
    if seats.is_counted():
        raise PriceNotOffered("BILLING_SEATS counts the seats, so the next count would undo this.")
    if now.item.get("quantity") is None:
        raise PriceNotOffered("This price is charged by use, and has no quantity.")
    if quantity < now.price.plan.min_seats:
        raise PriceNotOffered(f"{now.price.plan} is sold for {now.price.plan.min_seats} at least.")
    if now.pending or now.schedule or now.has_pending_update:
        raise ChangePending


def set_quantity(now: Standing, quantity: int, key: str) -> None:
    """Set the quantity at Stripe, prorated onto the next invoice; during a trial nothing is prorated."""
    check(now, quantity)
    stripe_client.post(
        f"/v1/subscriptions/{id_of(now.found)}",
        idempotency_key=key,
        items=[{"id": now.item["id"], "quantity": quantity}],
        proration_behavior="none" if now.is_trial else "create_prorations",
    )

"""A subscriber's coming price: pages and mails ask here what will be charged from which day."""

from datetime import datetime

from billing import clock
from billing.models import Price, PriceMoveRow, Subscription
from billing.subscriptions import coming_prices

ANNOUNCED = (PriceMoveRow.Status.TOLD, PriceMoveRow.Status.OWED, PriceMoveRow.Status.MOVED)


def coming_of(subscription: Subscription | None) -> PriceMoveRow | None:
    """Return the change of price that a subscriber was told of and that is still ahead; None if there is none."""
    if subscription is None or subscription.pk is None:
        return None
    rows = PriceMoveRow.objects.filter(subscription=subscription, status__in=ANNOUNCED, moves_at__gt=clock.now())
    row = rows.filter(move__stopped_at=None).select_related("move__old_price", "move__new_price").first()
    return row if row and not row.is_same_amount and stays_until(subscription, row) else None


def stays_until(subscription: Subscription, row: PriceMoveRow) -> bool:
    """Return whether the subscription neither ends nor changes by itself before the new price is charged."""
    ends = (subscription.cancel_at, subscription.pending_at if subscription.pending_price_id else None)
    of_this_move = subscription.pending_price_id in (row.move.new_price_id, subscription.price_id)  # or add-ons change
    return row.moves_at is not None and not any(
        at and at <= row.moves_at and not (of_this_move and at == subscription.pending_at) for at in ends
    )


def price_charged_at(subscription: Subscription, at: datetime) -> Price | None:
    """Return the price that a charge on that day is reckoned by: the coming one, if it begins by then."""
    row = coming_of(subscription)
    begins = row.moves_at if row else None
    is_by_then = begins is not None and (begins <= at or coming_prices.is_near(begins, at))
    return row.move.new_price if row and is_by_then else subscription.price

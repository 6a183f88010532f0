"""The sync's report says how far price moves are, and names subscriptions of theirs that wait for a person."""

from billing.models import PriceMove, PriceMoveRow

from .running import Tally, in_words


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each move that runs, or for each subscription of one customer that waits for a person."""
    if customer:
        rows = PriceMoveRow.objects.of_a_person().filter(subscription__customer=customer).order_by("pk")
        return [_said(row) for row in rows.select_related("subscription")]
    return [f"Price move {move}: {in_words(Tally.of(move))}." for move in PriceMove.objects.running().order_by("pk")]


def _said(row: PriceMoveRow) -> str:
    because = f": {row.reason}" if row.reason else ""
    return f"The price move of {row.subscription.stripe_id} waits for a person, {row.get_status_display()}{because}"

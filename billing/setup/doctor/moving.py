"""This check examines price moves: who waits for a person, and moves whose old price is still on sale."""

from collections.abc import Iterator

from billing.models import PriceMove, PriceMoveRow

from .findings import Finding, ok, warning


def price_moves() -> Iterator[Finding]:
    """Name subscriptions of price moves that wait for a decision, and moves that Stripe keeps from beginning."""
    waiting = PriceMoveRow.objects.of_a_person().count()
    if waiting:
        verb = "subscription of price moves needs" if waiting == 1 else "subscriptions of price moves need"
        todo = "They keep the old price. The admin says why, under Subscriptions of price moves, and offers what to do."
        yield warning("price moves", f"{waiting} {verb} a person.", todo)
    stuck = PriceMove.objects.running().filter(retired_at=None, attempts__gt=0)
    for move in stuck:
        text = f"The move {move} has not begun: its old price could not be taken from sale."
        yield warning("price moves", text, f"Run `manage.py move_price {move.old_price_id} {move.new_price_id}` again.")
    if not waiting and not stuck:
        running = PriceMove.objects.running().count()
        yield ok("price moves", f"Of {running} price moves nobody waits for a person.")

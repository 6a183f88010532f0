"""The account page says what a plan will cost, once its price changes by itself."""

from billing.lifecycle import Overview
from billing.money import format_amount

from .banners import Banner, Tone, plan_words
from .days import day


def for_price(overview: Overview) -> Banner | None:
    """Return the banner of a price that changes at a renewal: both amounts, the day, and how to leave."""
    row = overview.coming_price
    if row is None or row.moves_at is None or row.new_amount is None:
        return None
    price = row.move.new_price
    new = f"{format_amount(row.new_amount, row.currency)} {price.cadence.per}"
    instead = "" if row.old_amount is None else f", instead of {format_amount(row.old_amount, row.currency)}"
    sentence = (
        f"New price: {new}{instead}, before discounts and taxes. Until then you can change your plan, or cancel it."
    )
    held = overview.subscription
    name = plan_words(held.plan if held else None)
    return Banner(Tone.NOTICE, f"The price of {name} changes on {day(row.moves_at)}", sentence)

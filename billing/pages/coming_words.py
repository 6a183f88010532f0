"""The account page says what a plan will cost, once its price changes by itself."""

from django.utils.translation import gettext as _

from billing.lifecycle import Overview
from billing.localized import amount

from .banners import Banner, Tone, plan_words
from .days import day


def for_price(overview: Overview) -> Banner | None:
    """Return the banner of a price that changes at a renewal: both amounts, the day, and how to leave."""
    row = overview.coming_price
    if row is None or row.moves_at is None or row.new_amount is None:
        return None
    price = row.move.new_price
    new = f"{amount(row.new_amount, row.currency)} {price.cadence.per}"
    if row.old_amount is None:
        sentence = _("New price: {new}, before discounts and taxes.").format(new=new)
    else:
        sentence = _("New price: {new}, instead of {old}, before discounts and taxes.").format(
            new=new, old=amount(row.old_amount, row.currency)
        )
    sentence += " " + _("Until then you can change your plan, or cancel it.")
    held = overview.subscription
    name = plan_words(held.plan if held else None)
    headline = _("The price of {plan} changes on {date}").format(plan=name, date=day(row.moves_at))
    return Banner(Tone.NOTICE, headline, sentence)

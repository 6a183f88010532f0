"""The pages say of a price whether tax is in it, and of an invoice its net, its tax and its total."""

from typing import Any

from billing import site
from billing.catalogue import amounts
from billing.lifecycle import owed
from billing.models import Price
from billing.money import format_amount

from .banners import Banner, Tone

OF_PRICE = {"inclusive": "incl. VAT", "exclusive": "plus tax"}
OF_ALL = {"incl. VAT": "Prices include VAT.", "plus tax": "Tax is added at checkout."}
REVERSE_CHARGE = "No tax: reverse charge"


def of_price(price: Price | None, currency: str) -> str:
    """Return whether tax is in a price, where Stripe says so."""
    return OF_PRICE.get(amounts.tax_behavior(price, currency), "") if price else ""


def of_prices(said: set[str]) -> str:
    """Return one sentence for prices of which these words are said."""
    return OF_ALL.get(next(iter(said)), "Prices may exclude tax.") if len(said) == 1 else "Prices may exclude tax."


def of_invoice(invoice: Any) -> str:
    """Return the net and the tax of an invoice's total; "" where it bears none, and nobody owes it in our place.

    `invoice` has the attributes `net`, `tax`, `currency` and `is_reverse_charged`.
    """
    net, tax = (format_amount(amount, invoice.currency) for amount in (invoice.net, invoice.tax))
    if invoice.tax:
        return f"{net} net + {tax} tax"
    return REVERSE_CHARGE if invoice.is_reverse_charged else ""


def address_banner(subscriber: Any) -> list[Banner]:
    """Return the banner that asks for the address that the tax of an invoice waits for; no banner without such one."""
    if subscriber is None or not owed.lacks_address(subscriber):
        return []
    sentence = (
        "Tax depends on where you are, and we don't have your full address. Enter it, with the postal code; "
        "we'll then send any invoice that is waiting for it."
    )
    headline = "We need your address for your invoice"
    return [Banner(Tone.WARNING, headline, sentence, site.path_of("portal"), "Enter your address", is_form=True)]

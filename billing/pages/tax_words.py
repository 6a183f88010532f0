"""The pages say of a price whether tax is in it, and of an invoice its net, its tax and its total."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import site
from billing.catalogue import amounts
from billing.lifecycle import owed
from billing.localized import amount
from billing.models import Price

from .banners import Banner, Tone

OF_PRICE = {"inclusive": gettext_lazy("incl. VAT"), "exclusive": gettext_lazy("plus tax")}
REVERSE_CHARGE = gettext_lazy("No tax: reverse charge")


def of_price(price: Price | None, currency: str) -> str:
    """Return whether tax is in a price, where Stripe says so."""
    return str(OF_PRICE.get(amounts.tax_behavior(price, currency), "")) if price else ""


def of_prices(said: set[str]) -> str:
    """Return one sentence for prices of which these words are said."""
    of_all = {
        str(OF_PRICE["inclusive"]): _("Prices include VAT."),
        str(OF_PRICE["exclusive"]): _("Tax is added at checkout."),
    }
    mixed = _("Prices may exclude tax.")
    return of_all.get(next(iter(said)), mixed) if len(said) == 1 else mixed


def of_invoice(invoice: Any) -> str:
    """Return the net and the tax of an invoice's total; "" where it bears none, and nobody owes it in our place.

    `invoice` has the attributes `net`, `tax`, `currency` and `is_reverse_charged`.
    """
    net, tax = (amount(each, invoice.currency) for each in (invoice.net, invoice.tax))
    if invoice.tax:
        return _("{net} net + {tax} tax").format(net=net, tax=tax)
    return str(REVERSE_CHARGE) if invoice.is_reverse_charged else ""


def address_banner(subscriber: Any) -> list[Banner]:
    """Return the banner that asks for the address that the tax of an invoice waits for; no banner without such one."""
    if subscriber is None or not owed.lacks_address(subscriber):
        return []
    sentence = _(
        "Tax depends on where you are, and we don't have your full address. Enter it, with the postal code; "
        "we'll then send any invoice that is waiting for it."
    )
    headline = _("We need your address for your invoice")
    return [Banner(Tone.WARNING, headline, sentence, site.path_of("portal"), _("Enter your address"), is_form=True)]

"""A banner of the account page says what is going on, and leads to what can be done."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing.catalogue import amounts
from billing.localized import amount, number
from billing.models import Plan, Price


class Tone(StrEnum):
    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Banner:
    tone: Tone
    headline: str
    sentence: str
    link: str = ""
    link_text: str = ""
    is_form: bool = False  # the link is posted to
    pdf: str = ""


def plan_words(plan: Plan | None) -> str:
    return plan.name if plan else pgettext("pages", "your plan")


def price_words(price: Price, currency: str, quantity: int) -> str:
    """Return what a quantity costs, and how often; "" where that is not known ahead."""
    total = amounts.cost(price, currency, quantity)
    if total is None:
        by_usage = _("By usage, billed {how_often}").format(how_often=price.cadence.adverb)
        return by_usage if amounts.is_metered(price) else ""
    if amounts.is_free(price, currency):
        return _("Free")
    words = f"{amount(total, currency)} {price.cadence.per}"
    if quantity == 1:
        return words
    if each := amounts.unit(price, currency) if amounts.is_plain(price, currency) else None:
        return f"{words} ({quantity} × {amount(each, currency)})"
    several = ngettext("{price} for {count} unit", "{price} for {count} units", quantity)
    return several.format(price=words, count=number(quantity))

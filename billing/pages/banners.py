"""A banner of the account page says what is going on, and leads to what can be done."""

from dataclasses import dataclass
from enum import StrEnum

from billing.catalogue import amounts
from billing.models import Plan, Price
from billing.money import format_amount


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
    return plan.name if plan else "your plan"


def price_words(price: Price, currency: str, quantity: int) -> str:
    """Return what a quantity costs, and how often; "" where that is not known ahead."""
    total = amounts.cost(price, currency, quantity)
    if total is None:
        return f"By usage, billed {price.cadence.adverb}" if amounts.is_metered(price) else ""
    if amounts.is_free(price, currency):
        return "Free"
    several = f" for {quantity:,} units"
    if each := amounts.unit(price, currency) if amounts.is_plain(price, currency) else None:
        several = f" ({quantity} × {format_amount(each, currency)})"
    return f"{format_amount(total, currency)} {price.cadence.per}{several if quantity != 1 else ''}"

"""A promotion code in the address of the price page is shown with what it saves, and carried to Checkout.

A code that is no good never stops the sale: the page says why, and every plan is sold at its price.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from billing import rates
from billing.lifecycle import CodeRefused, codes
from billing.stripe_client import StripeRefused, StripeUnavailable, drain_reads

from . import discount_words
from .price_list import Card

log = logging.getLogger(__name__)

LONGEST = 200
NOT_NOW = gettext_lazy("We can't check the code “{code}” at the moment. We'll check it when you continue to payment.")


@dataclass(frozen=True)
class Shown:
    """This is what a page says of a code: `problem` for all plans, or what `code` is as Stripe has it.

    `text` is carried on; "" for a code that is no good, so that the sale goes on without it.
    """

    text: str = ""
    problem: str = ""
    code: codes.Code | None = None

    def on(self, card: Card, subscriber: Any) -> Card:
        """Return the card with what the code makes of its price, or why it makes nothing of it."""
        price = card.price
        if price is None or card.costs_nothing or not self.text:
            return card
        card = replace(card, code=self.text)
        if self.code is None:
            return card
        quantity = card.seats or 1
        try:
            codes.check(self.code, price, card.currency, quantity, subscriber)
        except CodeRefused as refusal:
            return replace(card, code="", code_problem=str(refusal))
        found = discount_words.with_code(self.code.coupon, price, card.currency, quantity)
        return replace(card, code_amount=found[0], code_words=found[1]) if found else card

    @property
    def words(self) -> str:
        """Return what the code gives, in general: an amount may differ by currency, and stands on the cards."""
        if self.code is None or self.code.coupon.percent_off is None:
            return ""
        return discount_words.short(self.code.coupon, "")


def shown(request: HttpRequest, text: str, subscriber: Any) -> Shown:
    """Return what a page says of the code that its address names. Stripe is asked, but never waited for in vain: while
    it does not answer, the code is carried on unchecked.
    """
    text = text.replace("\0", "").strip()[:LONGEST]
    if not text:
        return Shown()
    if rates.code_wait(request):
        return Shown(text, NOT_NOW.format(code=text))
    try:
        with drain_reads():
            code = codes.named(text, subscriber)
    except CodeRefused as refusal:
        return Shown(problem=f"{refusal}")
    except (StripeUnavailable, *StripeRefused):
        log.warning("promotion code not checked", exc_info=True)
        return Shown(text, NOT_NOW.format(code=text))
    return Shown(code.text, code=code)

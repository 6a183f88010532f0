"""The cancel page names Stripe's reasons, and what is offered to whoever thinks of leaving.

The reasons are marked for translation, so that a host project's own locale can name them.
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.catalogue import coupons
from billing.lifecycle import cancel, offers
from billing.models import Subscription

from . import discount_words

REASONS: dict[str, Promise] = {
    "too_expensive": _("It's too expensive"),
    "unused": _("I don't use it enough"),
    "missing_features": _("Some features are missing"),
    "switched_service": _("I'm switching to another service"),
    "too_complex": _("It's too hard to use"),
    "low_quality": _("The quality is not good enough"),
    "customer_service": _("I'm not happy with the support"),
    "other": _("Another reason"),
}


def reasons() -> list[tuple[str, Any]]:
    """Return every reason that Stripe takes, with its words."""
    return [(reason, words) for reason, words in REASONS.items() if reason in cancel.REASONS]


def reason_words(reason: str) -> str:
    """Return a reason in words; one that Stripe has added since as it spells it."""
    return str(REASONS.get(reason) or reason.replace("_", " ").capitalize())


def offered(offer: offers.Offer | None, held: Subscription | None) -> dict[str, str] | None:
    """Return the offer in words: what it takes off, for how long, and what is paid then and after that."""
    if offer is None or held is None or held.price is None:
        return None
    coupon = coupons.Coupon(percent_off=offer.percent_off, duration="repeating", months=offer.months)
    months = "month" if offer.months == 1 else f"{offer.months} months"
    found = discount_words.with_code(coupon, held.price, held.currency, held.quantity)
    is_plain = found is not None and not held.discounts.exists()
    return {
        "headline": f"Stay for {discount_words.percent(offer.percent_off)} less",
        "sentence": f"Keep {held.plan} and pay {discount_words.percent(offer.percent_off)} less for the next {months}."
        + (f" That is {found[0]} {found[1].replace('first', 'next')}." if found and is_plain else ""),
        "token": offer.token,
    }

"""The cancel page names Stripe's reasons, and what is offered to whoever thinks of leaving.

The reasons are marked for translation, so that a host project's own locale can name them.
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from billing.catalogue import coupons
from billing.lifecycle import cancel, offers
from billing.localized import percent
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
    facts = {"plan": str(held.plan), "reduction": percent(offer.percent_off), "count": offer.months}
    sentence = ngettext(
        "Keep {plan} and pay {reduction} less for the next month.",
        "Keep {plan} and pay {reduction} less for the next {count} months.",
        offer.months,
    ).format(**facts)
    if not held.discounts.exists():
        sentence += " " + discount_words.next_payments(coupon, held.price, held.currency, held.quantity)
    return {
        "headline": gettext("Stay for {reduction} less").format(**facts),
        "sentence": sentence.strip(),
        "token": offer.token,
    }

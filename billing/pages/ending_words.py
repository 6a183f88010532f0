"""The account page says of a subscription whose cancellation we owe Stripe, or have made a moment ago, that it ends."""

from django.utils.translation import gettext_lazy as _

from billing.lifecycle import Overview
from billing.models import Hold

from .banners import Banner, Tone

HEADLINE = _("Your subscription is being cancelled")
ENDS = _("Your subscription is being cancelled and does not renew. You can choose a plan again once it has ended.")

WHY = {
    Hold.Kind.REFUND: (
        _("Your payment was refunded"),
        _("We refunded the current period in full, so your access has ended."),
    ),
    Hold.Kind.DISPUTE: (
        _("Your disputed payment was returned to you"),
        _("The dispute was decided in your favour, so your access has ended."),
    ),
}


def for_held(hold: Hold) -> Banner:
    """Return the banner of a hold on a subscription that ends."""
    headline, why = WHY.get(Hold.Kind(hold.kind), (HEADLINE, ""))
    return Banner(Tone.PROBLEM, str(headline), f"{why} {ENDS}".strip())


def without_hold(overview: Overview) -> Banner | None:
    """Return the banner of a subscription that ends while nothing withholds access, such as after staff let them in."""
    return Banner(Tone.NOTICE, str(HEADLINE), str(ENDS)) if overview.is_cancelling and not overview.holds else None

"""The account page says of a subscription whose cancellation we owe Stripe, or have made a moment ago, that it ends."""

from billing.lifecycle import Overview
from billing.models import Hold

from .banners import Banner, Tone

HEADLINE = "Your subscription is being cancelled"
ENDS = f"{HEADLINE} and does not renew. You can choose a plan again once it has ended."

WHY = {
    Hold.Kind.REFUND: (
        "Your payment was refunded",
        "We refunded the current period in full, so your access has ended.",
    ),
    Hold.Kind.DISPUTE: (
        "Your disputed payment went back to you",
        "The dispute was decided in your favour, so your access has ended.",
    ),
}


def for_held(hold: Hold) -> Banner:
    """Return the banner of a hold on a subscription that ends."""
    headline, why = WHY.get(Hold.Kind(hold.kind), (HEADLINE, ""))
    return Banner(Tone.PROBLEM, headline, f"{why} {ENDS}".strip())


def without_hold(overview: Overview) -> Banner | None:
    """Return the banner of a subscription that ends while nothing withholds access, such as after staff let them in."""
    return Banner(Tone.NOTICE, HEADLINE, ENDS) if overview.is_cancelling and not overview.holds else None

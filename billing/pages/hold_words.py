"""The account page says why a hold keeps access away, and that renewals go on meanwhile."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.lifecycle import Overview
from billing.localized import amount
from billing.models import Hold

from . import ending_words
from .banners import Banner, Tone, plan_words
from .days import day
from .next_words import CHARGES, next_date

HELD = {
    "hold_dispute": (
        gettext_lazy("Access paused: a payment is disputed"),
        gettext_lazy(
            "Your bank told us that you dispute a payment. Access comes back when the dispute is withdrawn or "
            "decided in our favour. If it was a mistake, ask your bank to withdraw it."
        ),
    ),
    "hold_refund": (
        gettext_lazy("Your payment was refunded"),
        gettext_lazy("We refunded the current period in full, so your access has ended."),
    ),
    "hold_fraud": (
        gettext_lazy("Access paused: a payment is being checked"),
        gettext_lazy("The card's bank warned us about a payment. Write to us and we'll sort it out together."),
    ),
    "hold_staff": (
        gettext_lazy("Access paused"),
        gettext_lazy("Our team has paused your access. Write to us and we'll tell you why."),
    ),
}


def for_holds(overview: Overview, holds: list[Hold]) -> Banner | None:
    """Return the banner of a hold, which says that renewals go on meanwhile."""
    if not holds:
        return None
    if overview.is_cancelling:
        return ending_words.for_held(holds[0])
    headline, sentence = HELD[f"hold_{holds[0].kind}"]
    return Banner(Tone.PROBLEM, str(headline), f"{sentence} {_renews_all_the_same(overview)}".strip())


def for_further_line(overview: Overview) -> Banner | None:
    """Return the banner of a further line while a hold of all lines, which stands with the first, withholds it."""
    renews = _renews_all_the_same(overview)
    if not renews or not overview.holds or any(hold.subscription_id for hold in overview.holds):
        return None
    held = overview.subscription
    headline = _("Access to {plan} is paused too").format(plan=plan_words(held.plan if held else None))
    return Banner(Tone.PROBLEM, headline, renews)


def _renews_all_the_same(overview: Overview) -> str:
    """Return the sentence for somebody who pays without access: when they are charged, and how to stop it."""
    charge, coming = overview.next_charge, next_date(overview)
    if charge and charge.is_of_last_invoice:
        return ""
    if charge and charge.amount and charge.at:
        return _("Your subscription continues: {amount} is charged on {date}, unless you cancel before then.").format(
            amount=amount(charge.amount, charge.currency), date=day(charge.at)
        )
    if charge is None and coming and coming[0] in CHARGES:
        return _("Your subscription continues and is charged on {date}, unless you cancel before then.").format(
            date=day(coming[1])
        )
    return ""

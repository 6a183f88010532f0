"""The account page says of a change of plan what it waits for: the end of the period, or its payment."""

from datetime import datetime

from django.utils.translation import gettext as _

from billing.lifecycle import Overview
from billing.models import Price, Subscription

from . import add_on_words
from .banners import Banner, Tone, plan_words, price_words
from .days import day


def for_change(overview: Overview) -> Banner | None:
    """Return the banner for a change that waits for the period's end or for its payment."""
    change = overview.pending_change
    if change is None:
        return None
    if of_add_ons := add_on_words.pending(overview):
        return of_add_ons
    name = plan_words(change.price.plan) if change.price else _("another plan")
    if change.effective_at and change.price and change.price.plan == overview.effective_plan:
        return _new_price(overview, change.price, change.effective_at)
    if change.effective_at:
        headline = _("Your plan changes to {plan} on {date}").format(plan=name, date=day(change.effective_at))
        return Banner(Tone.NOTICE, headline, _keeps_until_then(overview) + add_on_words.dropped(overview))
    if change.kind == Subscription.Pending.AWAITED:
        return _on_its_way(overview, name, change.confirm_url)
    sentence = _("Until it is confirmed you keep {plan}, and nothing is charged.")
    sentence = sentence.format(plan=plan_words(overview.effective_plan))
    headline = _("Confirm the payment for {plan}").format(plan=name)
    return Banner(Tone.WARNING, headline, sentence, change.confirm_url, _("Confirm the payment"))


def _keeps_until_then(overview: Overview) -> str:
    return _("Until then you keep {plan}.").format(plan=plan_words(overview.effective_plan))


def _new_price(overview: Overview, price: Price, at: datetime) -> Banner:
    """Return the banner of a change to another price of the same plan, such as one by the month or one that rose."""
    held = overview.subscription
    words = price_words(price, held.currency, held.quantity) if held and price != held.price else ""
    sentence = _("Until then nothing changes.")
    if words:
        sentence = _("New price: {price}.").format(price=words) + " " + sentence
    headline = _("The price of {plan} changes on {date}").format(plan=plan_words(price.plan), date=day(at))
    return Banner(Tone.NOTICE, headline, sentence)


def _on_its_way(overview: Overview, name: str, pay_url: str) -> Banner:
    """Return the banner of a change whose payment takes days."""
    keeps = _keeps_until_then(overview)
    if pay_url:
        sentence = _("You get {plan} when its invoice is paid.").format(plan=name) + " " + keeps
        headline = _("Your change to {plan} waits for its payment").format(plan=name)
        return Banner(Tone.NOTICE, headline, sentence, pay_url, _("Pay the invoice"))
    sentence = _("Your payment is being processed, which takes a few days.") + " " + keeps
    return Banner(Tone.NOTICE, _("Your change to {plan} is on its way").format(plan=name), sentence)

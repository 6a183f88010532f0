"""The account page tells in banners what goes on with a subscription, and what to do if something is wrong."""

from django.utils.translation import gettext as _

from billing import access, site
from billing.lifecycle import Overview
from billing.localized import amount, number
from billing.models import MAIN_LINE, Invoice, Plan, Subscription

from . import coming_words, ending_words, hold_words, owed_words, pause_words, pending_words
from .banners import Banner, Tone, plan_words
from .days import day
from .next_words import next_amount, next_date
from .status_words import humanize


def banners(overview: Overview) -> list[Banner]:
    """Return the banners, the most urgent first."""
    found = [
        hold_words.for_holds(overview, overview.holds),
        _unknown(overview),
        _refused(overview),
        ending_words.without_hold(overview),
        owed_words.for_plan(overview),
        _ended(overview),
        _ending(overview),
        _without_card(overview),
        pause_words.banner(overview),
        pending_words.for_change(overview),
        coming_words.for_price(overview),
        *owed_words.for_others(overview),
        *_overflows(overview),
    ]
    return [banner for banner in found if banner]


def banners_of_line(overview: Overview) -> list[Banner]:
    """Return the banners about a further line; what is about the subscriber stands with the first."""
    found = [
        hold_words.for_holds(overview, [hold for hold in overview.holds if hold.subscription_id]),
        hold_words.for_further_line(overview),
        _unknown(overview),
        ending_words.without_hold(overview),
        owed_words.for_plan(overview),
        _ended(overview),
        _ending(overview),
        _without_card(overview),
        pause_words.banner(overview),
        pending_words.for_change(overview),
        coming_words.for_price(overview),
    ]
    return [banner for banner in found if banner]


def _unknown(overview: Overview) -> Banner | None:
    """Return the banner for a live subscription at a price that no plan knows."""
    held = overview.subscription
    if (
        held is None
        or held.whose != Subscription.Whose.UNKNOWN
        or overview.status in {"canceled", "incomplete_expired"}
    ):
        return None
    if overview.has_access:
        sentence = _("You keep {plan} meanwhile. Write to us if you would like to know more.")
        name = plan_words(overview.effective_plan)
        return Banner(Tone.NOTICE, _("Your new price is being set up"), sentence.format(plan=name))
    sentence = _(
        "You have subscribed to a plan that we haven't set up here yet. Write to us and we'll set it up at once."
    )
    return Banner(Tone.PROBLEM, _("Your plan is being set up"), sentence)


def _refused(overview: Overview) -> Banner | None:
    """Return the banner for a refusal by the project's own rule."""
    why = overview.decided.refused_by_host
    sentence = _("You are on the free plan. If you think this is a mistake, write to us.")
    return Banner(Tone.PROBLEM, _("You have no access: {why}").format(why=why), sentence) if why else None


def _ended(overview: Overview) -> Banner | None:
    if overview.holds or overview.is_by_grant or overview.status not in {"canceled", "incomplete_expired", "paused"}:
        return None
    if overview.status == "paused":
        return _paused(overview)
    sentence = _("You are on the free plan. Choose one to subscribe again.")
    return Banner(Tone.NOTICE, _("Your subscription has ended"), sentence)


def _ending(overview: Overview) -> Banner | None:
    """Return the banner of a scheduled cancellation. It names the day on which access really ends, and what is charged
    until then."""
    if not overview.cancel_at or not overview.has_access or overview.is_by_grant or overview.is_cancelling:
        return None
    ends_at = overview.access_ends_at or overview.cancel_at
    keeps = _("You keep {plan} until {date}.").format(plan=plan_words(overview.effective_plan), date=day(ends_at))
    return Banner(Tone.NOTICE, _("Your subscription is cancelled"), f"{keeps} {_charged_until_then(overview)}")


def _charged_until_then(overview: Overview) -> str:
    """Return the sentence about charges after a cancellation was scheduled."""
    subscription, charge = overview.subscription, overview.next_charge
    if charge and charge.amount and charge.is_of_last_invoice:
        words = _("What you used beyond the limits is billed then: {amount} so far, plus any tax.")
        return words.format(amount=amount(charge.amount, charge.currency))
    if charge and charge.amount and charge.at:
        if overview.renews_before_end:
            words = _(
                "It renews as usual until then: {amount} is charged on {date}, unless you end the subscription before "
                "then."
            )
        else:
            words = _(
                "An invoice is still unpaid: {amount} is charged on {date}, unless you end the subscription before "
                "then."
            )
        return words.format(amount=amount(charge.amount, charge.currency), date=day(charge.at))
    unpaid, under_way = _unpaid_of(subscription, overview)
    if overview.status == "past_due" or any(not row.is_sent for row in unpaid):
        return _("An invoice is still unpaid: pay it, or end the subscription now, and nothing more is charged.")
    if overview.renews_before_end and not (subscription and subscription.collection_paused):
        return _("It renews as usual until then, unless you end the subscription before then.")
    if unpaid:
        return _("Your open invoice is still to be paid; nothing else follows.")
    if under_way:
        return _("Your bank is already making a payment, which can't be stopped; no other follows.")
    return _("You won't be charged for it again.")


def _unpaid_of(subscription: Subscription | None, overview: Overview) -> tuple[list[Invoice], list[Invoice]]:
    """Return the open invoices of the subscription that wait for money, and those whose payment is on its way."""
    theirs = [owed.row for owed in overview.owed if subscription and owed.row.subscription_id == subscription.stripe_id]
    under_way = [row for row in theirs if row.payment == Invoice.Standing.PROCESSING]
    return [row for row in theirs if row not in under_way], under_way


def _paused(overview: Overview) -> Banner:
    """Return the banner of a paused subscription: its trial ended without a card, or somebody paused it at Stripe."""
    headline = _("Your subscription is paused")
    if overview.needs_card:
        sentence = _("Nothing is billed, and there is no card to charge. Add one, then resume your subscription.")
        return Banner(Tone.WARNING, headline, sentence, _card_page(overview), _("Add a card"), is_form=True)
    sentence = _("Nothing is billed, and you are on the free plan. Resume it, and it is charged from then on.")
    resume = site.path_of("resume") + ("" if overview.line == MAIN_LINE else f"?line={overview.line}")
    return Banner(Tone.WARNING, headline, sentence, resume, _("Resume"), is_form=True)


def _without_card(overview: Overview) -> Banner | None:
    """Return the banner of a subscription whose next payment cannot be charged: there is no card, or not any more."""
    is_charged = overview.needs_card and overview.status != "paused" and not overview.cancel_at
    coming = next_date(overview) if is_charged else None
    if coming is None:
        return None
    name, when = plan_words(overview.effective_plan), day(coming[1])
    if overview.status == "active":
        if not (due := next_amount(overview)):
            return None
        sentence = _("We don't have a card for you, and {amount} is due on {date}. Add a card to keep {plan}.").format(
            amount=due, date=when, plan=name
        )
    elif overview.subscription and access.ends_with_trial(overview.subscription):
        sentence = _end_of_trial(overview.subscription, name, when)
    else:
        sentence = _(
            "We don't have a card for you, and the first payment is due on {date}. Add a card to keep {plan}."
        ).format(date=when, plan=name)
    return Banner(Tone.WARNING, _("Add a card"), sentence, _card_page(overview), _("Add a card"), is_form=True)


def _end_of_trial(subscription: Subscription, name: str, when: str) -> str:
    """Return what happens at the end of a trial without a card: Stripe ends the subscription, or pauses it."""
    if subscription.trial_end_without_card == Plan.WithoutCard.PAUSE:
        words = _(
            "We don't have a card for you, so {plan} is paused when the trial ends on {date}, and nothing is charged. "
            "Add a card to keep it. You can also add one later."
        )
    else:
        words = _(
            "We don't have a card for you, so {plan} ends with the trial on {date}, and nothing is charged. Add a card "
            "to keep it."
        )
    return words.format(plan=name, date=when)


def _card_page(overview: Overview) -> str:
    return site.path_of("add_card") + ("" if overview.line == MAIN_LINE else f"?line={overview.line}")


def _overflows(overview: Overview) -> list[Banner]:
    headline = _("You have used {used} {feature}, and your plan includes {limit}")
    sentence = _("You can't use more until {date}, unless you choose a larger plan.")
    return [
        Banner(
            Tone.WARNING,
            headline.format(used=number(quota.used), feature=humanize(feature), limit=number(quota.limit)),
            sentence.format(date=day(quota.resets_at or overview.resets_at)),
        )
        for feature, quota in overview.usage.items()
        if quota.limit is not None and quota.used > quota.limit and not quota.credits
    ]

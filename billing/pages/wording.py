"""The account page describes a subscription in these words: its status, and what to do if something is wrong."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from billing import access, site
from billing.lifecycle import Overview
from billing.localized import amount, number
from billing.models import MAIN_LINE, Hold, Invoice, Plan, Price, Subscription
from billing.subscriptions import next_charges

from . import coming_words, ending_words, owed_words, pause_words
from .banners import Banner, Tone, plan_words, price_words
from .days import day

STATUS_WORDS = {
    "none": _l("No subscription"),
    "incomplete": _l("Waiting for the first payment"),
    "incomplete_expired": _l("Never started"),
    "trialing": _l("Trial"),
    "active": _l("Active"),
    "past_due": _l("Payment overdue"),
    "unpaid": _l("Unpaid"),
    "paused": _l("Paused"),
    "canceled": _l("Ended"),
}
INVOICE_STATUS = {
    "draft": _l("Draft"),
    "open": _l("Open"),
    "paid": _l("Paid"),
    "void": _l("Void"),
    "uncollectible": _l("Uncollectible"),
}

# Of `next_date`: what is charged on that day.
CHARGES = frozenset({"First payment", "Next payment", "Next invoice"})
# What `next_date` names, in words.
COMING = {
    "First payment": _l("First payment"),
    "Next payment": _l("Next payment"),
    "Next invoice": _l("Next invoice"),
    "Access ends": _l("Access ends"),
    "Access ends unless paid": _l("Access ends unless paid"),
    "Subscription ends": _l("Subscription ends"),
    "Payments resume": _l("Payments resume"),
    "Trial ends": _l("Trial ends"),
}

HELD = {
    "hold_dispute": (
        _l("Access paused: a payment is disputed"),
        _l(
            "Your bank told us that you dispute a payment. Access comes back when the dispute is withdrawn or "
            "decided in our favour. If it was a mistake, ask your bank to withdraw it."
        ),
    ),
    "hold_refund": (
        _l("Your payment was refunded"),
        _l("We refunded the current period in full, so your access has ended."),
    ),
    "hold_fraud": (
        _l("Access paused: a payment is being checked"),
        _l("The card's bank warned us about a payment. Write to us and we'll sort it out together."),
    ),
    "hold_staff": (_l("Access paused"), _l("Our team has paused your access. Write to us and we'll tell you why.")),
}


def status_words(overview: Overview) -> str:
    if overview.is_cancelling and not overview.is_by_grant:
        return _("Being cancelled")
    if overview.is_by_grant:
        until = overview.grant_ends_at
        return _("Yours until {date}").format(date=day(until)) if until else _("Yours permanently")
    if overview.collection_paused and overview.status in {"active", "trialing"}:
        return _("Payments paused")
    words = str(STATUS_WORDS.get(overview.status) or humanize(overview.status).capitalize())
    if overview.access_ends_at and overview.status in {"active", "trialing"}:
        return _("{status}, ends on {date}").format(status=words, date=day(overview.access_ends_at))
    return words


def invoice_status(status: str) -> str:
    """Return Stripe's status of an invoice in words."""
    return str(INVOICE_STATUS.get(status) or humanize(status).capitalize())


def next_date(overview: Overview) -> tuple[str, datetime] | None:
    """Return what happens next, one of `COMING`, and when."""
    if overview.is_by_grant and (overview.is_cancelling or overview.status not in {"active", "trialing"}):
        return ("Access ends", overview.access_ends_at) if overview.access_ends_at else None
    if overview.is_cancelling:
        return None
    subscription = overview.subscription
    if overview.cancel_at and not overview.renews_before_end:
        ends_at = overview.access_ends_at or overview.cancel_at
        return ("Subscription ends", overview.cancel_at) if overview.is_by_grant else ("Access ends", ends_at)
    if overview.collection_paused:
        until = overview.collection_paused.until
        return ("Payments resume", until) if until else None
    if subscription and subscription.is_free:
        return None
    if subscription and access.ends_with_trial(subscription) and overview.trial_end:
        return "Trial ends", overview.trial_end
    if overview.status == "trialing" and overview.trial_end:
        return "First payment" if _begins_with_trial(overview) else "Next payment", overview.trial_end
    if overview.grace_ends_at and overview.has_access:
        return "Access ends unless paid", overview.grace_ends_at
    if overview.status == "active" and overview.current_period_end:
        is_sent = subscription is not None and subscription.collection_method == Invoice.SENT
        return "Next invoice" if is_sent else "Next payment", overview.current_period_end
    return None


def _begins_with_trial(overview: Overview) -> bool:
    """Return whether nothing was paid before the trial. Staff also give time by a trial in a paid subscription."""
    held = overview.subscription
    return not (held and held.started_at and held.current_period_start and held.started_at < held.current_period_start)


def next_words(overview: Overview) -> tuple[str, str] | None:
    """Return what happens next, and in words when and what is charged then, or why no amount is told."""
    if (coming := next_date(overview)) is None:
        return None
    name, on = str(COMING[coming[0]]), day(coming[1])
    if due := next_amount(overview):
        return name, _("{amount} on {date}").format(amount=due, date=on)
    held = overview.subscription
    is_asked = coming[0] in CHARGES and held is not None and next_charges.is_awaited(held)
    return name, _("{date}. Stripe is working out the amount").format(date=on) if is_asked else on


def next_amount(overview: Overview) -> str:
    """Return what is charged on the day that `next_date` names; "" where that is not known, or nothing is."""
    charge, coming = overview.next_charge, next_date(overview)
    if charge is None or charge.amount is None or coming is None or charge.at != coming[1]:
        return ""
    return amount(charge.amount, charge.currency)


def banners(overview: Overview) -> list[Banner]:
    """Return the banners, the most urgent first."""
    found = [
        _held(overview, overview.holds),
        _unknown(overview),
        _refused(overview),
        ending_words.without_hold(overview),
        owed_words.for_plan(overview),
        _ended(overview),
        _ending(overview),
        _without_card(overview),
        pause_words.banner(overview),
        _pending(overview),
        coming_words.for_price(overview),
        *owed_words.for_others(overview),
        *_overflows(overview),
    ]
    return [banner for banner in found if banner]


def banners_of_line(overview: Overview) -> list[Banner]:
    """Return the banners about a further line; what is about the subscriber stands with the first."""
    found = [
        _held(overview, [hold for hold in overview.holds if hold.subscription_id]),
        _held_too(overview),
        _unknown(overview),
        ending_words.without_hold(overview),
        owed_words.for_plan(overview),
        _ended(overview),
        _ending(overview),
        _without_card(overview),
        pause_words.banner(overview),
        _pending(overview),
        coming_words.for_price(overview),
    ]
    return [banner for banner in found if banner]


def _held(overview: Overview, holds: list[Hold]) -> Banner | None:
    """Return the banner of a hold, which says that renewals go on meanwhile."""
    if not holds:
        return None
    if overview.is_cancelling:
        return ending_words.for_held(holds[0])
    headline, sentence = HELD[f"hold_{holds[0].kind}"]
    return Banner(Tone.PROBLEM, str(headline), f"{sentence} {_renews_all_the_same(overview)}".strip())


def _held_too(overview: Overview) -> Banner | None:
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
    if charge and charge.amount and charge.at:
        return _("Your subscription continues: {amount} is charged on {date}, unless you cancel before then.").format(
            amount=amount(charge.amount, charge.currency), date=day(charge.at)
        )
    if charge is None and coming and coming[0] in CHARGES:
        return _("Your subscription continues and is charged on {date}, unless you cancel before then.").format(
            date=day(coming[1])
        )
    return ""


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
    if charge and charge.amount and charge.at:
        if overview.renews_before_end:
            words = _(
                "It renews as usual until then: {amount} is charged on {date}, unless you end the subscription before "
                "then."
            )
        else:
            words = _(
                "An invoice is still unpaid: {amount} is charged on {date}, unless you end the subscription before then."
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


def _pending(overview: Overview) -> Banner | None:
    """Return the banner for a change that waits for the period's end or for its payment."""
    change = overview.pending_change
    if change is None:
        return None
    name = plan_words(change.price.plan) if change.price else _("another plan")
    if change.effective_at and change.price and change.price.plan == overview.effective_plan:
        return _new_price(overview, change.price, change.effective_at)
    if change.effective_at:
        headline = _("Your plan changes to {plan} on {date}").format(plan=name, date=day(change.effective_at))
        return Banner(Tone.NOTICE, headline, _keeps_until_then(overview))
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


def humanize(feature: str) -> str:
    return feature.replace("_", " ").replace("-", " ")

"""The account page describes a subscription in these words: its status, and what to do if something is wrong."""

from datetime import datetime

from billing import access, site
from billing.lifecycle import Outlook, Overview
from billing.models import MAIN_LINE, Hold, Invoice, Plan, Price, Subscription
from billing.money import format_amount
from billing.subscriptions import next_charges

from . import add_on_words, coming_words, ending_words, owed_words, pause_words
from .banners import Banner, Tone, plan_words, price_words
from .days import day

STATUS_WORDS = {
    "none": "No subscription",
    "incomplete": "Waiting for the first payment",
    "incomplete_expired": "Never started",
    "trialing": "Trial",
    "active": "Active",
    "past_due": "Payment overdue",
    "unpaid": "Unpaid",
    "paused": "Paused",
    "canceled": "Ended",
}

# Of `next_date`: what is charged on that day.
CHARGES = frozenset({"First payment", "Next payment", "Next invoice"})

HELD = {
    "hold_dispute": (
        "Access paused: a payment is disputed",
        (
            "Your bank told us that you dispute a payment. Access comes back when the dispute is withdrawn or "
            "decided in our favour. If it was a mistake, ask your bank to withdraw it."
        ),
    ),
    "hold_refund": (
        "Your payment was refunded",
        "We refunded the current period in full, so your access has ended.",
    ),
    "hold_fraud": (
        "Access paused: a payment is being checked",
        "The card's bank warned us about a payment. Write to us and we'll sort it out together.",
    ),
    "hold_staff": ("Access paused", "Our team has paused your access. Write to us and we'll tell you why."),
}


def status_words(overview: Overview) -> str:
    if overview.is_cancelling and not overview.is_by_grant:
        return "Being cancelled"
    if overview.is_by_grant:
        return f"Yours until {day(overview.grant_ends_at)}" if overview.grant_ends_at else "Yours for good"
    if overview.collection_paused and overview.status in {"active", "trialing"}:
        return "Payments paused"
    words = STATUS_WORDS.get(overview.status) or humanize(overview.status).capitalize()
    if overview.access_ends_at and overview.status in {"active", "trialing"}:
        return f"{words}, ends on {day(overview.access_ends_at)}"
    return words


def next_date(overview: Overview) -> tuple[str, datetime] | None:
    """Return what happens next, and when."""
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
    name, on = coming[0], day(coming[1])
    if amount := next_amount(overview):
        return name, f"{amount} on {on}"
    held = overview.subscription
    is_asked = name in CHARGES and held is not None and next_charges.is_awaited(held)
    return name, f"{on}. Stripe is working out the amount" if is_asked else on


def next_amount(overview: Overview) -> str:
    """Return what is charged on the day that `next_date` names; "" where that is not known, or nothing is."""
    charge, coming = overview.next_charge, next_date(overview)
    if charge is None or charge.amount is None or coming is None or charge.at != coming[1]:
        return ""
    return format_amount(charge.amount, charge.currency)


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
    return Banner(Tone.PROBLEM, headline, f"{sentence} {_renews_all_the_same(overview)}".strip())


def _held_too(overview: Overview) -> Banner | None:
    """Return the banner of a further line while a hold of all lines, which stands with the first, withholds it."""
    renews = _renews_all_the_same(overview)
    if not renews or not overview.holds or any(hold.subscription_id for hold in overview.holds):
        return None
    held = overview.subscription
    return Banner(Tone.PROBLEM, f"Access to {plan_words(held.plan if held else None)} is paused too", renews)


def _renews_all_the_same(overview: Overview) -> str:
    """Return the sentence for somebody who pays without access: when they are charged, and how to stop it."""
    charge, coming = overview.next_charge, next_date(overview)
    if charge and charge.amount and charge.at:
        amount = format_amount(charge.amount, charge.currency)
        return f"Your subscription goes on: {amount} is charged on {day(charge.at)}, unless you cancel it before."
    if charge is None and coming and coming[0] in CHARGES:
        return f"Your subscription goes on and is charged on {day(coming[1])}, unless you cancel it before."
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
        sentence = (
            f"You keep {plan_words(overview.effective_plan)} meanwhile. Write to us if you would like to know more."
        )
        return Banner(Tone.NOTICE, "Your new price is being set up", sentence)
    sentence = "You have subscribed to a plan that we haven't set up here yet. Write to us and we'll set it up at once."
    return Banner(Tone.PROBLEM, "Your plan is being set up", sentence)


def _refused(overview: Overview) -> Banner | None:
    """Return the banner for a refusal by the project's own rule."""
    why = overview.decided.refused_by_host
    sentence = "You are on the free plan. If you think this is a mistake, write to us."
    return Banner(Tone.PROBLEM, f"You have no access: {why}", sentence) if why else None


def _ended(overview: Overview) -> Banner | None:
    if overview.holds or overview.is_by_grant or overview.status not in {"canceled", "incomplete_expired", "paused"}:
        return None
    if overview.status == "paused":
        return _paused(overview)
    return Banner(
        Tone.NOTICE, "Your subscription has ended", "You are on the free plan. Choose one to subscribe again."
    )


def _ending(overview: Overview) -> Banner | None:
    """Return the banner of a scheduled cancellation. It names the day on which access really ends, and what is charged
    until then."""
    if not overview.cancel_at or not overview.has_access or overview.is_by_grant or overview.is_cancelling:
        return None
    ends_at = overview.access_ends_at or overview.cancel_at
    sentence = f"You keep {plan_words(overview.effective_plan)} until {day(ends_at)}. {_charged_until_then(overview)}"
    return Banner(Tone.NOTICE, "Your subscription is cancelled", sentence)


def _charged_until_then(overview: Overview) -> str:
    """Return the sentence about charges after a cancellation was scheduled."""
    subscription, charge = overview.subscription, overview.next_charge
    if charge and charge.amount and charge.at:
        amount = format_amount(charge.amount, charge.currency)
        why = "It renews as usual until then" if overview.renews_before_end else "An invoice is still unpaid"
        return f"{why}: {amount} is charged on {day(charge.at)}, unless you end the subscription before."
    unpaid, under_way = _unpaid_of(subscription, overview)
    if overview.status == "past_due" or any(not row.is_sent for row in unpaid):
        return "An invoice is still unpaid: pay it, or end the subscription now, and nothing more is charged."
    if overview.renews_before_end and not (subscription and subscription.collection_paused):
        return "It renews as usual until then, unless you end the subscription before."
    if unpaid:
        return "Your open invoice is still to be paid; nothing else follows."
    if under_way:
        return "Your bank is already making a payment, which can't be stopped; no other follows."
    return "You won't be charged for it again."


def _unpaid_of(subscription: Subscription | None, overview: Overview) -> tuple[list[Invoice], list[Invoice]]:
    """Return the open invoices of the subscription that wait for money, and those whose payment is on its way."""
    theirs = [owed.row for owed in overview.owed if subscription and owed.row.subscription_id == subscription.stripe_id]
    under_way = [row for row in theirs if row.payment == Invoice.Standing.PROCESSING]
    return [row for row in theirs if row not in under_way], under_way


def _paused(overview: Overview) -> Banner:
    """Return the banner of a paused subscription: its trial ended without a card, or somebody paused it at Stripe."""
    headline = "Your subscription is paused"
    if overview.needs_card:
        sentence = "Nothing is billed, and there is no card to charge. Add one, then resume your subscription."
        return Banner(Tone.WARNING, headline, sentence, _card_page(overview), "Add a card", is_form=True)
    sentence = "Nothing is billed, and you are on the free plan. Resume it, and it is charged from then on."
    resume = site.path_of("resume") + ("" if overview.line == MAIN_LINE else f"?line={overview.line}")
    return Banner(Tone.WARNING, headline, sentence, resume, "Resume", is_form=True)


def _without_card(overview: Overview) -> Banner | None:
    """Return the banner of a subscription whose next payment cannot be charged: there is no card, or not any more."""
    is_charged = overview.needs_card and overview.status != "paused" and not overview.cancel_at
    coming = next_date(overview) if is_charged else None
    if coming is None:
        return None
    name, when = plan_words(overview.effective_plan), day(coming[1])
    if overview.status == "active":
        if not (amount := next_amount(overview)):
            return None
        sentence = f"We have no card of yours, and {amount} is due on {when}. Add a card to keep {name}."
    elif overview.subscription and access.ends_with_trial(overview.subscription):
        sentence = _end_of_trial(overview.subscription, name, when)
    else:
        sentence = f"We have no card of yours, and the first payment is due on {when}. Add a card to keep {name}."
    return Banner(Tone.WARNING, "Add a card", sentence, _card_page(overview), "Add a card", is_form=True)


def _end_of_trial(subscription: Subscription, name: str, when: str) -> str:
    """Return what happens at the end of a trial without a card: Stripe ends the subscription, or pauses it."""
    if subscription.trial_end_without_card == Plan.WithoutCard.PAUSE:
        paused = f"{name} is paused when the trial ends on {when}, and nothing is charged"
        return f"We have no card of yours, so {paused}. Add a card to keep it. You can also add one later."
    return (
        f"We have no card of yours, so {name} ends with the trial on {when}, and nothing is charged. "
        "Add a card to keep it."
    )


def _card_page(overview: Overview) -> str:
    return site.path_of("add_card") + ("" if overview.line == MAIN_LINE else f"?line={overview.line}")


def _pending(overview: Overview) -> Banner | None:
    """Return the banner for a change that waits for the period's end or for its payment."""
    change = overview.pending_change
    if change is None:
        return None
    if of_add_ons := add_on_words.pending(overview):
        return of_add_ons
    name = plan_words(change.price.plan) if change.price else "another plan"
    if change.effective_at and change.price and change.price.plan == overview.effective_plan:
        return _new_price(overview, change.price, change.effective_at)
    if change.effective_at:
        headline = f"Your plan changes to {name} on {day(change.effective_at)}"
        return Banner(
            Tone.NOTICE,
            headline,
            f"Until then you keep {plan_words(overview.effective_plan)}.{add_on_words.dropped(overview)}",
        )
    if change.kind == Subscription.Pending.AWAITED:
        return _on_its_way(overview, name, change.confirm_url)
    sentence = f"Until it is confirmed you keep {plan_words(overview.effective_plan)}, and nothing is charged."
    return Banner(Tone.WARNING, f"Confirm the payment for {name}", sentence, change.confirm_url, "Confirm the payment")


def _new_price(overview: Overview, price: Price, at: datetime) -> Banner:
    """Return the banner of a change to another price of the same plan, such as one by the month or one that rose."""
    held = overview.subscription
    words = price_words(price, held.currency, held.quantity) if held and price != held.price else ""
    sentence = f"New price: {words}. Until then nothing changes." if words else "Until then nothing changes."
    return Banner(Tone.NOTICE, f"The price of {plan_words(price.plan)} changes on {day(at)}", sentence)


def _on_its_way(overview: Overview, name: str, pay_url: str) -> Banner:
    """Return the banner of a change whose payment takes days."""
    keeps = f"Until then you keep {plan_words(overview.effective_plan)}."
    if pay_url:
        sentence = f"You get {name} when its invoice is paid. {keeps}"
        return Banner(Tone.NOTICE, f"Your change to {name} waits for its payment", sentence, pay_url, "Pay the invoice")
    sentence = f"Your bank is paying for it, which takes a few days. {keeps}"
    return Banner(Tone.NOTICE, f"Your change to {name} is on its way", sentence)


def _overflows(overview: Overview) -> list[Banner]:
    return [
        Banner(
            Tone.WARNING,
            f"You have used {quota.used:,} {humanize(feature)}, and your plan includes {quota.limit:,}",
            f"You can't use more until {day(quota.resets_at or overview.resets_at)}, unless you choose a larger plan.",
        )
        for feature, quota in overview.usage.items()
        if quota.limit is not None and quota.used > quota.limit and not quota.credits
    ]


def consequences(outlook: Outlook) -> list[str]:
    """Return the sentences about money that a subscriber reads before they cancel."""
    said = []
    end = "" if outlook.under_way else " Nothing more is charged."
    for each in outlook.charged:
        amount = format_amount(each.amount, each.currency)
        what = f"The renewal of {amount} has begun" if each.is_draft else f"An invoice of {amount} is unpaid"
        said.append(f"{what}: it is cancelled with the subscription, which ends now.{end}")
    for each in outlook.under_way:
        amount = format_amount(each.amount, each.currency)
        said.append(f"Your bank is already paying {amount}. That payment can't be stopped; no other will follow.")
    for each in outlook.sent:
        due = f" by {day(each.due_at)}" if each.due_at else ""
        amount = format_amount(each.amount, each.currency)
        said.append(f"Your invoice of {amount} is still to be paid{due}, unless the subscription ends now.")
    if outlook.has_usage and outlook.ends_at:
        said.append("What you use until the end is still billed then.")
    return said


def humanize(feature: str) -> str:
    return feature.replace("_", " ").replace("-", " ")

"""The pages of prices show for each plan what its reader can do: buy it, change to it, or neither, and why not.

Nothing is shown to be pressed that the rules of `lifecycle` would refuse; they are asked again when it is pressed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from billing.lifecycle import Overview, checkout, refusals
from billing.models import Invoice, Subscription

from .days import day
from .price_list import Card, cadence_query

OVERDUE = frozenset({"past_due", "unpaid", "incomplete"})


@dataclass(frozen=True)
class Choice:
    """A choice is what a card offers: `action` is "choose", "change", "account" or "", and `effect` says what a change
    does.

    `is_own` marks the plan and interval that is subscribed to, and `is_own_plan` the plan by another interval.
    """

    action: str = ""
    effect: str = ""
    is_own: bool = False
    is_own_plan: bool = False


@dataclass(frozen=True)
class OwnTerms:
    """A subscriber's own interval is `usual` unless another is asked for; the currency of a subscription is `fixed`."""

    usual: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)


def own_terms(standing: Mapping[str, Overview]) -> OwnTerms:
    """Return the terms of the subscription that is live, else the currency of the one that was."""
    for now in standing.values():
        held = now.subscription
        if held and held.price and not is_bought(now):
            return OwnTerms(cadence_query(held.price.cadence), {"currency": held.currency})
    had = [now.subscription.currency for now in standing.values() if now.subscription and now.subscription.currency]
    return OwnTerms({"currency": had[0]} if had else {})


def is_bought(now: Overview) -> bool:
    """Return whether a plan is bought rather than changed: there is none in this line that costs money, or its first
    payment was refused.
    """
    if now.status == "incomplete" and now.unpaid is not None and now.unpaid.payment == Invoice.Standing.FAILED:
        return True
    return now.status in checkout.NOT_LIVE or (now.subscription is not None and now.subscription.is_free)


def refusal(now: Overview) -> str:
    """Return why nothing can be bought or changed in a line now, and what to do first; "" if something can."""
    if now.is_cancelling:
        return str(refusals.CancellationScheduled.sentence)
    if now.holds or now.decided.refused_by_host:
        return str(refusals.AccessWithheld.sentence)
    if is_bought(now):
        return ""
    return str(_refusal_of_live(now))


def is_withheld(standing: Iterable[Overview]) -> bool:
    """Return whether whatever is bought would give nothing: a hold of the subscriber, or the project's own rule."""
    return any(now.decided.refused_by_host or any(not hold.subscription_id for hold in now.holds) for now in standing)


def _refusal_of_live(now: Overview) -> object:
    held = now.subscription
    if now.status in OVERDUE:
        return refusals.PaymentOverdue.sentence
    if now.status == "paused":
        return refusals.SubscriptionPaused.sentence
    if now.cancel_at:
        return refusals.CancellationScheduled.sentence
    if held is None or held.price is None or held.whose == Subscription.Whose.UNKNOWN:
        return refusals.StateUnknown.sentence
    if now.collection_paused:
        return refusals.CollectionPaused.sentence
    if now.pending_change and now.pending_change.kind != Subscription.Pending.SCHEDULED:
        return refusals.ChangePending.sentence
    return ""


def of_card(card: Card, now: Overview | None, *, may_buy: bool = True) -> Choice:
    """Return what a card offers to who stands like this in its line; `now` is None for a visitor."""
    if now is None:
        return Choice("choose" if card.price else "")
    is_refused = bool(refusal(now))
    if is_bought(now):
        if card.price:
            return Choice("choose" if may_buy and not is_refused else "")
        return Choice(is_own=card.is_free and now.effective_plan == card.plan)
    held = now.subscription
    is_own_plan = held is not None and held.plan == card.plan
    if held and is_own_plan and (held.price is None or held.price.cadence == card.cadence):
        return Choice(is_own=True, is_own_plan=True)
    if not card.price:
        return Choice("account" if card.is_free else "")
    effect = "" if is_refused else _effect(card, now)
    return Choice("change" if effect else "", effect, is_own_plan=is_own_plan)


def _effect(card: Card, now: Overview) -> str:
    """Return when a change would start; "" where another pending change stands in its way."""
    held, pending = now.subscription, now.pending_change
    if held is None or held.price is None or card.price is None:
        return ""
    rank = (card.plan.rank, card.cadence.months)
    is_now = now.status == "trialing" or rank > (held.price.plan.rank, held.price.cadence.months)
    if pending and pending.price == card.price:
        return ""
    if pending and is_now:
        return ""
    if now.status == "trialing":
        return _("Your trial continues, and nothing is charged today.")
    if is_now:
        return _("You pay the difference, and it starts at once.")
    if now.current_period_end is None:
        return _("It starts with your next period.")
    return _("It starts on {date}. Nothing is charged today.").format(date=day(now.current_period_end))

"""A first subscription of a line may begin with a trial: how long it is, whether it asks for a card, and for whom."""

import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.utils.module_loading import import_string

from billing import catalogue, subscriptions
from billing.conf import conf
from billing.models import LONGEST_TRIAL, CheckoutAttempt, Plan
from billing.monitoring import alerts

from .refusals import TrialTooLong

log = logging.getLogger(__name__)

ASKS_CARD = Plan.WithoutCard.NO.value


def days_of(subscriber: Any, plan: Plan) -> int:
    """Return the days of a first trial, by BILLING_TRIAL_DAYS or the plan; None is a visitor. If the function fails,
    staff are told and there is no trial, which page and Checkout then say. Raises `TrialTooLong` for more than Stripe's
    two years, and for what is no number of days."""
    try:
        days = asked_days(subscriber, plan)
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("no trial", extra={"plan": plan.slug})
        alerts.remind_staff(
            "trial_days",
            "BILLING_TRIAL_DAYS fails",
            f"It raised {type(error).__name__} for the plan {plan.slug}. Until it is corrected, nobody has a trial.",
        )
        return 0
    if type(days) is int and 0 <= days <= LONGEST_TRIAL:
        return days
    alerts.remind_staff(
        "trial_too_long",
        "A trial is refused",
        f"BILLING_TRIAL_DAYS or the plan gives {plan.slug} a trial of {days!r} days. It must be a whole number from 0 "
        f"to {LONGEST_TRIAL}: Stripe takes two years at most. Nobody can buy the plan until this is corrected.",
    )
    raise TrialTooLong


def asked_days(subscriber: Any, plan: Plan) -> Any:
    """Return what the project's function answers, or what the plan says, unchecked; raises what the function does."""
    return import_string(conf.trial_days)(subscriber, plan) if conf.trial_days else plan.trial_days


def without_card(plan: Plan) -> str:
    """Return what happens at the end of a trial for which no card was asked: "cancel" or "pause"; "" where a card is
    asked for at the beginning."""
    chosen = plan.trial_without_card or conf.trial_without_card
    return "" if chosen == ASKS_CARD else chosen


@dataclass(frozen=True)
class Offer:
    """An offer is the trial of one plan: no days, no trial. `without_card` is as in `without_card`."""

    days: int = 0
    without_card: str = ""

    @property
    def subscription_data(self) -> dict[str, Any]:
        if not self.days:
            return {}
        data: dict[str, Any] = {"trial_period_days": self.days}
        if self.without_card:
            data["trial_settings"] = {"end_behavior": {"missing_payment_method": self.without_card}}
        return data


NONE = Offer()


def offer_of(attempt: CheckoutAttempt, *, is_first: bool) -> Offer:
    """Return the trial of a Checkout. `is_first`: there never was a subscription in the line, at Stripe too."""
    plan, subscriber = attempt.price.plan, attempt.customer.subscriber
    is_free = catalogue.amounts.is_free(attempt.price, attempt.currency)
    if is_free or not is_first or subscriptions.trials.why_none(subscriber, attempt.line):
        return NONE
    days = days_of(subscriber, plan)
    return Offer(days, without_card(plan)) if days else NONE


@dataclass
class Offers:
    """These are the trials that a reader of the price page is offered, by our rows alone."""

    subscriber: Any
    _refused: dict[str, str] = field(default_factory=dict)

    def of(self, plan: Plan) -> Offer:
        """Return the plan's trial; none for somebody who had one. A trial that is too long is not shown, and Checkout
        refuses it."""
        try:
            days = days_of(self.subscriber, plan)
        except TrialTooLong:
            return NONE
        return Offer(days, without_card(plan)) if days and not self.why_none(plan.line) else NONE

    def why_none(self, line: str) -> str:
        if line not in self._refused:
            self._refused[line] = subscriptions.trials.why_none(self.subscriber, line)
        return self._refused[line]

"""Staff extend a trial that runs, end it, or let one run whose card or address had a trial before."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from billing import access, clock, lanes
from billing.access import moment
from billing.conf import conf
from billing.models import LONGEST_TRIAL, TRIAL_TOO_LONG, Customer, Invoice, Plan, Subscription
from billing.subscriptions import trials

OVER = "This trial is over, or cannot be moved any more. Nothing was changed."
NOT_LATER = "Choose a day after {}, when the trial ends now."


def why_no_trial(customer: Customer, line: str) -> str:
    """Return why the subscriber gets no further trial in a line, as a sentence; "" if they may have one, or if
    no plan of the line has any."""
    if not conf.trial_days and not Plan.objects.filter(line=line, trial_days__gt=0).exists():
        return ""
    match trials.why_none(customer.subscriber, line):
        case "subscribed":
            return "No: they have had a subscription in this line."
        case "email":
            other = trials.trials_by_address(customer.subscriber, line)[0]
            return f"No: {other.subscription_id} had one with the same e-mail address, + and Gmail's dots left out."
    return ""


# Moving one


class TrialChoice(forms.ModelChoiceField):
    def label_from_instance(self, row: Subscription) -> str:
        return f"{row.plan or 'A plan'}, until {moment(row.trial_end)}: {row.stripe_id}"


def movable(customer: Customer) -> Any:
    """Return the running trials, but for those that are cancelled or governed by a schedule: Stripe would refuse."""
    rows = Subscription.objects.filter(customer=customer, status=Subscription.Status.TRIALING, cancel_at=None)
    rows = rows.filter(whose=Subscription.Whose.OURS).exclude(pending_kind=Subscription.Pending.SCHEDULED)
    return rows.select_related("plan", "price").order_by("line", "pk")


def can_move(customer: Customer) -> bool:
    return customer.deleted_at is None and movable(customer).exists()


def about_extending(customer: Customer) -> list[str]:
    return [
        "The trial ends on the day that you choose, and the first payment is charged then. It can't be made shorter.",
        "The subscriber gets a mail with the new day.",
        *_waiting(customer),
    ]


def about_ending(customer: Customer) -> list[str]:
    return [*(_at_the_end(row) for row in movable(customer)), *_waiting(customer)]


def _waiting(customer: Customer) -> list[str]:
    """Return a sentence if an end was decided that Stripe has not been asked for yet."""
    is_waiting = any(lanes.writes.is_trial_moving(row.stripe_id) for row in movable(customer))
    return ["Another end was decided a moment ago, and this one replaces it."] if is_waiting else []


def _at_the_end(row: Subscription) -> str:
    name = f"{row.plan or row.stripe_id}: the trial ends now"
    if row.has_payment_method is not False or row.collection_method == Invoice.SENT or row.is_free:
        return f"{name}, and Stripe charges the first period."
    if row.trial_end_without_card == Plan.WithoutCard.PAUSE:
        return f"{name}. There is no card, so Stripe pauses the subscription, and access ends."
    if access.ends_with_trial(row):
        return f"{name}. There is no card, so Stripe ends the subscription, and access with it."
    return f"{name}. There is no card, so its invoice stays unpaid, and grace begins."


def extend(customer: Customer, given: dict[str, Any]) -> str:
    """Owe Stripe the later end. Returns what was done, "" if the trial cannot be moved any more."""
    row, until = movable(customer).filter(pk=given["subscription"].pk).first(), given["until"]
    if row is None or row.trial_end is None or until <= row.trial_end:
        return ""
    lanes.writes.owe_trial_end(customer, row.stripe_id, until)
    return f"Extended the trial of {row.plan or row.stripe_id} until {moment(until)}"


def end(customer: Customer, given: dict[str, Any]) -> str:
    """Owe Stripe the end of the trial now. Returns what was done, "" if the trial is over."""
    row = movable(customer).filter(pk=given["subscription"].pk).first()
    if row is None:
        return ""
    lanes.writes.owe_trial_end(customer, row.stripe_id, None)
    trials.settle(customer, row.stripe_id)
    return f"Ended the trial of {row.plan or row.stripe_id}"


# A person who had a trial before


def waits(customer: Customer) -> bool:
    return trials.unsettled(customer).exists()


def about_letting_run(customer: Customer) -> list[str]:
    said = [
        f"The {'card' if row.has_same_card else 'e-mail address'} of {row.subscription_id} had the trial "
        f"{row.same_person_as}."
        for row in trials.unsettled(customer)
    ]
    return [*said, "The trial runs on. Families and companies share cards, so this need not be abuse."]


def let_run(customer: Customer, given: dict[str, Any]) -> str:
    return "Let the trial run, although its person may have had one" if trials.settle(customer) else ""


def too_long(until: datetime) -> bool:
    """Return whether a trial until then would be longer than Stripe's two years."""
    return until > timezone.localtime(clock.now()) + timedelta(days=LONGEST_TRIAL)


REFUSED_AS_TOO_LONG = forms.ValidationError(TRIAL_TOO_LONG, code="trial_too_long")

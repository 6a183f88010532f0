"""An action of staff runs in the customer's lane, in one transaction with the log entry that says who did it and
why."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from billing import cause, clock, lanes
from billing.lifecycle import refusals
from billing.models import Customer
from billing.stripe_client import StripeRefused, drain_reads

from .action import Action
from .refused import Refused

SOMEBODY_ELSE = "Somebody else has changed this in the meantime. Nothing was changed. Please check again."


def perform(action: Action, request: HttpRequest, customer_id: str, given: dict[str, Any]) -> str:
    """Run the action, log it, and return what was done. Raises `Refused` or an outage of `OUTAGES`; then nothing
    is changed."""
    staff: Any = request.user.pk

    def work() -> str:
        customer = _possible(action, customer_id)
        done = action.work(customer, given)
        _log(staff, customer_id, f"{done}: {given['reason']}")
        return done

    with cause.recorded_as(f"staff:{staff}"), lanes.exclusive(customer_id) as commit:
        if action.at_stripe is None:
            return commit(work)
        entry = _log(staff, customer_id, f"{action.title}, asked of Stripe: {given['reason']}")
        return _perform_at_stripe(action, customer_id, given, entry, commit)


def _perform_at_stripe(
    action: Action, customer_id: str, given: dict[str, Any], entry: LogEntry, commit: Callable[[Callable[[], str]], str]
) -> str:
    """Ask Stripe, then refresh. The log tells that it was asked before it is, so that no crash in between hides who it
    was; what Stripe or a rule refused is not kept.
    """
    try:
        with drain_reads():
            done = cast("Any", action.at_stripe)(_possible(action, customer_id), given)
    except (Refused, refusals.Refused, *StripeRefused) as error:
        entry.delete()
        raise (Refused(str(error)) if isinstance(error, refusals.Refused) else error) from error

    def work() -> str:
        action.work(Customer.objects.select_related("subscriber").get(pk=customer_id), given)
        LogEntry.objects.filter(pk=entry.pk).update(change_message=f"{done}: {given['reason']}")
        return str(done)

    return commit(work)


def _possible(action: Action, customer_id: str) -> Customer:
    customer = Customer.objects.select_related("subscriber").get(pk=customer_id)
    if not action.is_possible(customer):
        raise Refused
    return customer


def _log(staff: Any, customer_id: str, message: str) -> LogEntry:
    return LogEntry.objects.create(
        user_id=staff,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=customer_id,
        object_repr=customer_id,
        action_flag=CHANGE,
        change_message=message,
        action_time=clock.now(),
    )


def previewed(action: Action, customer: Customer, given: dict[str, Any]) -> list[str]:
    """Return what the action would come to. Raises `Refused`, with the reason, or an outage of `OUTAGES`."""
    try:
        with drain_reads():
            return action.preview(customer, given) if action.preview else []
    except refusals.Refused as error:
        raise Refused(str(error)) from error

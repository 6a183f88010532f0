"""The worker sets a subscription's quantity to the seats that BILLING_SEATS counts at that moment.

The difference in the running period is prorated (`create_prorations`) and stands on the next invoice.
"""

from typing import Any

from billing import access, stripe_client, subscriptions
from billing.lanes import Claim, commit_under, standing_writes
from billing.models import Price, Subscription
from billing.stripe_client import id_of, readers
from billing.subscriptions import seats

from . import phases
from .live_subscription import Standing, standings_of
from .refusals import ChangePending

PRORATED = "create_prorations"


def write_quantity(rows: standing_writes.Rows, claim: Claim) -> None:
    """Set the quantity at Stripe. Call it holding the lane, with no transaction open.

    Raises `StripeUnavailable`, `StripeRefused`, `UnmappedPrice`, and `ChangePending` while a change of plan waits for
    its payment, since Stripe lets nothing else change then.
    """
    customer = standing_writes.customer_of(rows)
    if customer is None or not seats.is_counted():
        return
    wanted = seats.seats_of(customer.subscriber)
    with stripe_client.drain_reads():
        standings = standings_of(customer)
    key = f"{standing_writes.key_of(rows)}:{wanted}"
    fewest = {now.id: max(wanted, now.price.plan.min_seats) for now in standings}
    # Nothing is sold that gives nothing: releasing the hold owes the seats anew.
    to_write = [now for now in standings if fewest[now.id] <= now.quantity or not access.withheld(customer, now.id)]
    written = [_write_if_different(now, fewest[now.id], f"{key}:{now.id}") for now in to_write]
    if any(written):
        with stripe_client.drain_reads() as reads:
            commit_under(claim, reads, lambda: subscriptions.refresh(customer))


def _write_if_different(now: Standing, wanted: int, key: str) -> bool:
    """Write the quantity if it differs, and return whether it did. An unpaid first invoice is left alone: seats are
    counted again when the subscription starts."""
    if not now.is_live or now.status == Subscription.Status.INCOMPLETE or now.item.get("quantity") is None:
        return False
    schedule = now.schedule
    is_right = now.quantity == wanted
    if is_right and not (schedule and _has_other_quantity_ahead(schedule, wanted)):
        return False
    if now.has_pending_update or now.awaited:
        raise ChangePending
    if schedule:
        _write_phases(schedule, wanted, key)
    else:
        stripe_client.post(
            f"/v1/subscriptions/{now.id}",
            idempotency_key=key,
            items=[{"id": now.item["id"], "quantity": wanted}],
            proration_behavior="none" if now.is_trial else PRORATED,
        )
    return True


def _has_other_quantity_ahead(schedule: dict[str, Any], wanted: int) -> bool:
    """Return whether a phase under way or ahead would bill another number of seats."""
    plans = _plans(schedule)
    return any(
        item.get("quantity") != max(wanted, plans[id_of(item["price"])])
        for phase in _phases(schedule)
        for item in phase["items"]
        if id_of(item["price"]) in plans
    )


def _write_phases(schedule: dict[str, Any], wanted: int, key: str) -> None:
    """Write the schedule's phases with the wanted seats; a scheduled change of plan stays."""
    plans = _plans(schedule)
    stripe_client.post(
        f"/v1/subscription_schedules/{schedule['id']}",
        idempotency_key=key,
        end_behavior=schedule["end_behavior"],
        proration_behavior=PRORATED,
        phases=[_phase_params(phase, plans, wanted) for phase in _phases(schedule)],
    )


def _phase_params(phase: dict[str, Any], plans: dict[str, int], wanted: int) -> dict[str, Any]:
    """Return the phase as it is but for the seats of its plans."""
    fewest = [plans.get(id_of(item["price"])) for item in phase["items"]]
    items = [
        phases.item_of(item, **({} if least is None else {"quantity": max(wanted, least)}))
        for item, least in zip(phase["items"], fewest, strict=True)
    ]
    return {**phases.of_phase(phase), "items": items}


def _phases(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the phase under way and those ahead."""
    under_way = readers.phase_start_of(schedule)
    return [phase for phase in schedule["phases"] if phase["start_date"] >= under_way]


def _plans(schedule: dict[str, Any]) -> dict[str, int]:
    """Return the ids of a schedule's prices that belong to plans, each with the fewest seats of its plan."""
    named = {id_of(item["price"]) for phase in schedule["phases"] for item in phase["items"]}
    return dict(Price.objects.filter(pk__in=named).values_list("pk", "plan__min_seats"))

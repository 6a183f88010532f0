"""The worker writes the new price into a subscription, holding its lane: only the item that pays the old one.

Stripe keeps what is not sent: tax rates, discounts, metadata, the trial, other items. Nothing is prorated: what is paid
stays paid, and the next renewal charges the new price. A schedule is written whole, see `phases`.
"""

from datetime import datetime
from typing import Any, cast

from billing import clock, stripe_client, subscriptions
from billing.clock import from_timestamp
from billing.lanes import Claim, commit_under, standing_writes, tries
from billing.lifecycle import phases
from billing.lifecycle.refusals import ChangePending
from billing.models import Customer, PriceMoveRow, Subscription
from billing.stripe_client import InvalidRequest, NoSuchCustomer, fetch, id_of, readers
from billing.subscriptions import coming_prices

from . import telling

Found = dict[str, Any]
Status = PriceMoveRow.Status
TO_WRITE = (Status.OWED, Status.REFUSED)


def write_prices(rows: standing_writes.Rows, claim: Claim) -> None:
    """Write what is owed to one customer's subscriptions. Call it holding the lane, with no transaction open.

    Raises `StripeUnavailable`, `StripeRefused`; `ChangePending` while a change of plan waits for its payment; and
    `GivenUp` with what Stripe refuses for good, once the others are written.
    """
    customer = standing_writes.customer_of(rows)
    waiting = _waiting(rows[0].lane)
    if customer is None or not waiting:
        return
    with stripe_client.drain_reads():
        found = {each["id"]: each for each in fetch.subscriptions(customer.pk)}
    refused = []
    for row in waiting:
        try:
            _write(row, found.get(row.subscription.stripe_id), f"{standing_writes.key_of(rows)}:{row.pk}")
        except NoSuchCustomer:
            raise
        except InvalidRequest as refusal:
            refused.append(tries.describe(refusal))
            telling.need_staff(row, Status.REFUSED, refused[-1])
    _refresh(customer, claim)
    if refused:
        raise standing_writes.GivenUp(" ".join(refused))


def _waiting(customer: str) -> list[PriceMoveRow]:
    rows = PriceMoveRow.objects.filter(subscription__customer=customer, status__in=TO_WRITE).order_by("pk")
    rows = rows.filter(move__stopped_at=None)
    return list(rows.select_related("move__old_price__plan", "move__new_price__plan", "subscription__customer"))


def _refresh(customer: Customer, claim: Claim) -> None:
    with stripe_client.drain_reads() as reads:
        commit_under(claim, reads, lambda: subscriptions.refresh(customer))


def _write(row: PriceMoveRow, found: Found | None, key: str) -> None:
    """Write the new price, unless Stripe's answer shows that it is not the moment, or no longer wanted."""
    if found is None or found["status"] in Subscription.TERMINAL or _ends_before(row, found):
        _set(row, Status.OBJECTED)
        return
    item = _item_at(found, row.move.old_price_id)
    if found.get("pending_update") or subscriptions.awaited_change(found, row.subscription):
        raise ChangePending
    if item is None:
        is_moved = _item_at(found, row.move.new_price_id) is not None
        _set(row, Status.MOVED if is_moved else Status.CHANGED, moved_at=clock.now() if is_moved else None)
        return
    if not _is_time(row, found, item):
        return
    if found["schedule"] and found["schedule"]["status"] == "active":
        _write_phases(row, found["schedule"], key)
        return
    quantity = {} if item.get("quantity") is None else {"quantity": item["quantity"]}
    stripe_client.post(
        f"/v1/subscriptions/{found['id']}",
        idempotency_key=key,
        items=[{"id": item["id"], "price": row.move.new_price_id, **quantity}],
        proration_behavior="none",
    )
    _set(row, Status.MOVED, moved_at=clock.now())


def _is_time(row: PriceMoveRow, found: Found, item: Found) -> bool:
    """Return whether the period that runs is the one before the renewal that was named; otherwise note what to do."""
    end = from_timestamp(item["current_period_end"])
    if row.moves_at is None or end - row.moves_at >= coming_prices.A_DAY:
        telling.tell_anew(row, "Its renewal came before Stripe had been asked, so it is told of a later one.")
        return False
    if not coming_prices.is_near(end, row.moves_at):
        row.status = Status.TOLD
        telling.wait_for(row, "An earlier renewal comes first.", telling.AN_HOUR)
        return False
    if found["status"] not in telling.CHARGED:
        row.status = Status.TOLD
        telling.wait_for(row, f"It is {found['status']}: nothing is charged.")
        return False
    return True


def _ends_before(row: PriceMoveRow, found: Found) -> bool:
    if not readers.is_cancellation_scheduled(found):
        return False
    ends = from_timestamp(found["cancel_at"]) if found["cancel_at"] else None
    return ends is None or row.moves_at is None or ends <= row.moves_at


def _item_at(found: Found, price: str) -> Found | None:
    return next((item for item in found["items"]["data"] if id_of(item["price"]) == price), None)


def _set(row: PriceMoveRow, status: PriceMoveRow.Status, moved_at: datetime | None = None) -> None:
    row.status, row.due_at, row.reason, row.moved_at = status, None, "", moved_at
    row.save()


# A subscription that is under a schedule


def _write_phases(row: PriceMoveRow, schedule: Found, key: str) -> None:
    """Write the new price into the phases from the renewal on. A schedule that takes the old price away by then, such
    as a change to a lower plan, stays as it is. After the renewal the row shows what came of it.
    """
    moves_at = cast("datetime", row.moves_at)  # a row without one waits
    at = int(moves_at.timestamp())
    ahead = [phase for phase in schedule["phases"] if phase["start_date"] >= readers.phase_start_of(schedule)]
    if any(phase["end_date"] > at and _item_in(phase, row.move.old_price_id) for phase in ahead):
        stripe_client.post(
            f"/v1/subscription_schedules/{schedule['id']}",
            idempotency_key=key,
            end_behavior=schedule["end_behavior"],
            proration_behavior="none",
            phases=[params for phase in ahead for params in _phases_of(phase, row, at)],
        )
    row.status, row.reason, row.due_at = Status.TOLD, "Its schedule at Stripe decides.", moves_at + telling.AN_HOUR
    row.save()


def _phases_of(phase: Found, row: PriceMoveRow, at: int) -> list[Found]:
    """Return a phase as it is, with the new price, or cut in two at the renewal."""
    params = phases.of_phase(phase)
    if phase["end_date"] <= at or not _item_in(phase, row.move.old_price_id):
        return [params]
    moved = [_moved_item(item, row) for item in phase["items"]]
    if phase["start_date"] >= at:
        return [{**params, "items": moved}]
    once = ("trial_end", "add_invoice_items", "billing_cycle_anchor")
    later = {name: value for name, value in params.items() if name not in once}
    return [
        {**params, "end_date": at},
        {**later, "start_date": at, "items": moved, "proration_behavior": "none"},
    ]


def _moved_item(item: Found, row: PriceMoveRow) -> Found:
    pays_old = id_of(item["price"]) == row.move.old_price_id
    return phases.item_of(item, price=row.move.new_price_id) if pays_old else phases.item_of(item)


def _item_in(phase: Found, price: str) -> bool:
    return any(id_of(item["price"]) == price for item in phase["items"])

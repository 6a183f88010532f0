"""Owed writes are calls to Stripe that we have promised ourselves, each once, and retry until Stripe agrees.

A write is owed in the transaction that decided on it, and made after that by the worker.
"""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from billing import stripe_client
from billing.models import AddOnPrice, Customer, PlanChange, StripeWrite, Subscription
from billing.stripe_client import StripeRefused, StripeUnavailable, id_of, readers

from . import claims, tries

CLOSED = frozenset({"paid", "void", "uncollectible"})
Action = StripeWrite.Action
NOW = "now"
# Metadata of a Checkout that saves a card: the subscription that it is for.
CARD_FOR = "billing_card_for"

# Stripe's refusals that say there is nothing left to do; a disputed payment goes back by its dispute, and what waits
# for an address is owed again when there is another one.
NOTHING_LEFT = frozenset({"resource_missing", "charge_already_refunded", "charge_disputed", readers.NO_PLACE})


class TooLate(Exception):
    """The object of an owed write is gone; the write is withdrawn with this sentence, which staff see."""


def owe(
    customer: Customer, object_id: str, reference: str, action: StripeWrite.Action = Action.CANCEL_SUBSCRIPTION
) -> bool:
    """Owe the cancellation of a subscription (or the closing of an invoice, or a refund of a payment intent) because
    of `reference`; asked twice, it is owed once. Return whether this was the first time.
    """
    write, is_new = StripeWrite.objects.get_or_create(
        action=action,
        object_id=object_id,
        reference=reference,
        defaults={"lane": customer.pk, "requested_at": timezone.now()},
    )
    if write.withdrawn_at:
        write.withdrawn_at = None
        write.save(update_fields=["withdrawn_at"])
    if is_new:
        claims.wake(customer.pk)
    return is_new


def owe_trial_end(customer: Customer, subscription_id: str, until: datetime | None) -> None:
    """Owe a new end of a trial, or (None) its end now. An end that was owed before and not made yet is withdrawn, so
    that the last one decided counts."""
    owed = StripeWrite.objects.filter(action=Action.MOVE_TRIAL, object_id=subscription_id)
    owed.filter(done_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())
    when = str(int(until.timestamp())) if until else NOW
    owe(customer, subscription_id, f"{when}:{uuid.uuid4()}", Action.MOVE_TRIAL)


def is_trial_moving(subscription_id: str) -> bool:
    """Return whether a new end of the trial is owed and not made yet."""
    owed = StripeWrite.objects.filter(action=Action.MOVE_TRIAL, object_id=subscription_id)
    return owed.filter(done_at=None, withdrawn_at=None).exists()


def withdraw_cancellation(reference: str) -> None:
    """Withdraw the cancellation for a cause that has gone, such as a refund that failed, unless Stripe was asked
    already. What else is owed by that reference, such as the refund of an invoice, stays owed.
    """
    owed = StripeWrite.objects.filter(action=Action.CANCEL_SUBSCRIPTION, reference=reference)
    owed.filter(done_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())


def is_cancelling(subscription_id: str) -> bool:
    """Return whether we owe Stripe the cancellation of a subscription, or have made it: then nothing is charged for it
    any more, whatever our row says until Stripe's event has come.
    """
    ours = StripeWrite.objects.filter(action=Action.CANCEL_SUBSCRIPTION, object_id=subscription_id)
    return ours.filter(withdrawn_at=None).exists()


def are_owed(lane: str) -> bool:
    """Return whether any write waits on this lane, a standing one or another, due now or later."""
    return StripeWrite.objects.filter(lane=lane, done_at=None, withdrawn_at=None).exists()


def due_writes(lane: str) -> list[StripeWrite]:
    """Return the writes that are due now on this lane, a cancellation before the refund it leads to."""
    is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    waiting = StripeWrite.objects.filter(is_due, lane=lane, done_at=None, withdrawn_at=None)
    return list(waiting.exclude(action__in=StripeWrite.STANDING).order_by("action", "requested_at"))


def postpone_due(lane: str, error: str) -> None:
    """Postpone all that is due on this lane, standing writes too: our key does not reach this customer."""
    is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    for write in StripeWrite.objects.filter(is_due, lane=lane, done_at=None, withdrawn_at=None):
        _postpone(write, error)


def make_now(customer: Customer, writes: list[tuple[str, str, StripeWrite.Action]]) -> None:
    """Owe each (object, reference, action), and ask Stripe for all that is owed now; the worker retries what fails."""
    with transaction.atomic():
        for object_id, reference, action in writes:
            owe(customer, object_id, reference, action)
    for write in due_writes(customer.pk):
        make(write)


def make(write: StripeWrite) -> None:
    """Ask Stripe for the write, outside any transaction, and stamp it; during an outage it stays owed."""
    try:
        _ask(write)
    except StripeRefused as error:
        if error.code not in NOTHING_LEFT:
            _postpone(write, str(error.user_message or error.code))
            return
    except StripeUnavailable as error:
        _postpone(write, str(error))
        return
    except TooLate as error:
        StripeWrite.objects.filter(pk=write.pk).update(withdrawn_at=timezone.now(), error_message=str(error))
        return
    StripeWrite.objects.filter(pk=write.pk).update(done_at=timezone.now(), error_message="")


def _ask(write: StripeWrite) -> None:
    key = f"{write.pk}:{write.attempts}"  # Stripe replays a failure too for as long as it keeps a key
    match write.action:
        case Action.CANCEL_SUBSCRIPTION:
            stripe_client.delete(f"/v1/subscriptions/{write.object_id}", idempotency_key=key)
        case Action.CLOSE_INVOICE:
            _close_invoice(write.object_id, key)
        case Action.REFUND:
            reason = "requested_by_customer" if write.reference.startswith("in_") else "duplicate"
            stripe_client.post("/v1/refunds", idempotency_key=key, payment_intent=write.object_id, reason=reason)
        case Action.UNDO_CHANGE:
            _undo_change(PlanChange.objects.get(pk=write.reference), key)
        case Action.MOVE_TRIAL:
            _move_trial(write, key)
        case Action.USE_CARD:
            _use_card(write, key)
        case Action.FINALIZE_INVOICE:
            _finalize(write.object_id, key)
        case Action.RESTORE_TAX:
            _restore_tax(write.object_id, key)
        case Action.REMOVE_TAX_ID:
            stripe_client.delete(f"/v1/customers/{write.lane}/tax_ids/{write.object_id}", idempotency_key=key)


def _move_trial(write: StripeWrite, key: str) -> None:
    """Move the end of a trial that runs. On a subscription without one Stripe would begin a trial and credit what was
    paid. Raises `TooLate`."""
    path, when = f"/v1/subscriptions/{write.object_id}", write.reference.partition(":")[0]
    found = stripe_client.get(path)
    if found["status"] != Subscription.Status.TRIALING:
        raise TooLate(f"The subscription is {found['status']}: its trial was over, and nothing was changed.")
    until = when if when == NOW else int(when)
    if found["trial_end"] != until:
        stripe_client.post(path, idempotency_key=key, trial_end=until, proration_behavior="none")


def _use_card(write: StripeWrite, key: str) -> None:
    """Have a subscription charged to the card that a Checkout has saved, `reference`; it becomes the customer's too.
    Raises `TooLate`."""
    session = stripe_client.get(f"/v1/checkout/sessions/{write.reference}", expand=["setup_intent"])
    method = id_of((session["setup_intent"] or {}).get("payment_method"))
    is_for_it = readers.metadata_of(session).get(CARD_FOR) == write.object_id
    if not method or not is_for_it or id_of(session["customer"]) != write.lane:
        raise TooLate("This Checkout saved no card for the subscription.")
    path = f"/v1/subscriptions/{write.object_id}"
    if stripe_client.get(path)["status"] in Subscription.TERMINAL:
        raise TooLate("The subscription had ended, and its card was not changed.")
    settings = {"default_payment_method": method}
    stripe_client.post(f"/v1/customers/{write.lane}", idempotency_key=f"{key}:customer", invoice_settings=settings)
    stripe_client.post(path, idempotency_key=key, default_payment_method=method)


def _undo_change(change: PlanChange, key: str) -> None:
    """Void the invoice of a change that was not paid, and put plan and add-ons back to what was before.

    A payment that is under way keeps Stripe from voiding: then nothing is undone.
    """
    if change.invoice_id:
        _close_invoice(change.invoice_id, key)
    path = f"/v1/subscriptions/{change.subscription_id}"
    found = stripe_client.get(path)
    back = _items_before(change, found["items"]["data"])
    if back and not found["ended_at"]:
        stripe_client.post(path, idempotency_key=f"{key}:price", items=back, proration_behavior="none")
    PlanChange.objects.filter(pk=change.pk).update(status=PlanChange.Status.REFUSED)


def _items_before(change: PlanChange, items: list[Any]) -> list[dict[str, Any]]:
    """Return the `items` that undo a change: what it made otherwise, took away and added. Others' items stay."""
    before, there = {item["id"]: item for item in change.previous_items}, {item["id"] for item in items}
    added = AddOnPrice.objects.filter(pk__in=[id_of(item["price"]) for item in items if item["id"] not in before])
    of_add_ons = set(added.values_list("pk", flat=True))
    now = {item["id"]: (id_of(item["price"]), item.get("quantity")) for item in items}
    was = {
        pk: {name: item[name] for name in ("price", "quantity") if item[name] is not None}
        for pk, item in before.items()
    }
    changed = [
        {"id": pk, **was[pk]}
        for pk, item in before.items()
        if pk in there and now[pk] != (item["price"], item["quantity"])
    ]
    gone = [was[pk] for pk in before if pk not in there]
    new = [{"id": pk, "deleted": True} for pk, (price, _) in now.items() if pk not in before and price in of_add_ons]
    return [*changed, *gone, *new]


def _finalize(invoice_id: str, key: str) -> None:
    """Finalize a draft, which is then charged or sent as others are."""
    path = f"/v1/invoices/{invoice_id}"
    if stripe_client.get(path)["status"] == "draft":
        stripe_client.post(f"{path}/finalize", idempotency_key=key, auto_advance=True)


def _restore_tax(subscription_id: str, key: str) -> None:
    """Switch on the automatic tax of a subscription that Stripe has switched off; what a person did stays."""
    path = f"/v1/subscriptions/{subscription_id}"
    found = stripe_client.get(path)
    if not found["ended_at"] and readers.is_untaxed_for_want_of_address(found):
        stripe_client.post(path, idempotency_key=key, automatic_tax={"enabled": True})


def _close_invoice(invoice_id: str, key: str) -> None:
    """Void an open invoice. A subscription's draft cannot be deleted: it is kept from ever being collected."""
    path = f"/v1/invoices/{invoice_id}"
    status = stripe_client.get(path)["status"]
    if status == "open":
        stripe_client.post(f"{path}/void", idempotency_key=key)
    elif status == "draft":
        stripe_client.post(path, idempotency_key=key, auto_advance=False)
    elif status not in CLOSED:
        raise StripeUnavailable(f"The invoice {invoice_id} is {status}, which we do not know: it is asked for again")


def _postpone(write: StripeWrite, error: str) -> None:
    failed = write.attempts + 1
    StripeWrite.objects.filter(pk=write.pk).update(
        attempts=failed, next_attempt_at=tries.next_try_of_owed(failed), error_message=error
    )

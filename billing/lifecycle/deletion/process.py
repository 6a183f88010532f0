"""A deletion is not done while Stripe may still bill the account.

1. `begin` marks the account: access ends, nothing can be bought any more, and `account_closing` lets the host project
   end sessions and revoke tokens.
2. The worker, holding the customer's lane, takes the steps of `STEPS` at Stripe one by one. Each step asks Stripe for
   the current state, so it may be repeated after a crash or a lost answer, and is stamped once Stripe has confirmed it.
3. Our rows change in one transaction: our customer becomes a tombstone that keeps the money ledger, and
   `account_closed` lets the host project anonymise the subscriber.
   A subscriber's earlier customers are parts: each goes this way in its own lane, and the deletion is done after them.
4. Personal data is removed from the events we keep and from dj-stripe's rows (`copies`), also from later ones.

While Stripe does not answer, the next try is a minute later, then after five minutes, half an hour, and each hour.
A Checkout paid meanwhile, or even afterwards, is cancelled and refunded: `AccountDeletion.objects.owed`.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing import clock, lanes, signals, stripe_account, stripe_client, subscriptions, usage
from billing.lanes import tries
from billing.lifecycle import customers
from billing.models import AccountDeletion, Agreement, CheckoutAttempt, Customer, Purchase
from billing.stripe_client import StripeRefused
from billing.subscriptions import customer_details, grants, redact_rows

from . import copies, steps

STEPS: dict[str, Callable[[AccountDeletion], None]] = {
    "checkouts_expired_at": steps.expire_checkouts,
    "schedules_released_at": steps.release_schedules,
    "subscriptions_canceled_at": steps.cancel_subscriptions,
    "invoices_voided_at": steps.void_invoices,
    "customer_removed_at": steps.remove_customer,
}


# A part that is done makes its deletion due at once; this is for one that stopped in between.
PARTS_TAKE = timedelta(minutes=5)


def deletion_of(subscriber: Any) -> AccountDeletion | None:
    """Return the deletion of the subscriber's account, None if none was begun. Its `done_at` tells when it was done."""
    return AccountDeletion.objects.filter(subscriber=subscriber).first()


def begin(subscriber: Any) -> AccountDeletion:
    """Begin to delete an account; the worker does the rest. Makes no Stripe call.

    Returns the deletion; a second call returns the same one, with the steps that are done.
    """
    customer = Customer.objects.of(subscriber, deleted_too=True)
    lane = lanes.lane_of(subscriber)
    with transaction.atomic():
        deletion, is_new = AccountDeletion.objects.get_or_create(
            subscriber=subscriber, defaults={"customer": customer, "lane": lane, "requested_at": clock.now()}
        )
        if is_new:
            theirs = Customer.objects.all_of(subscriber).values("pk")
            open_attempts = CheckoutAttempt.objects.filter(customer__in=theirs, status=CheckoutAttempt.Status.OPEN)
            open_attempts.update(status=CheckoutAttempt.Status.EXPIRED)
            open_purchases = Purchase.objects.filter(customer__in=theirs, status=Purchase.Status.OPEN)
            open_purchases.update(status=Purchase.Status.EXPIRED)
            _send(signals.account_closing, deletion)
            lanes.wake_all([lane, *_begin_parts(deletion)])
    return deletion


def _begin_parts(deletion: AccountDeletion) -> list[str]:
    """Begin a part for each further customer that has none, in its own lane. Returns the lanes, for waking them."""
    further = list(Customer.objects.all_of(deletion.subscriber).filter(deletion=None))
    for earlier in further:
        at = deletion.requested_at
        AccountDeletion.objects.create(customer=earlier, part_of=deletion, lane=earlier.pk, requested_at=at)
    return [earlier.pk for earlier in further]


def owed_deletions(lane: str) -> list[AccountDeletion]:
    """Return the deletions that are due on this lane. It is called after every drain: one short query, mostly."""
    rows = AccountDeletion.objects.filter(lane=lane)
    return list(rows.owed(timezone.now())) if rows.exists() else []


def due_lanes() -> list[str]:
    """Return the lanes on which a deletion is due."""
    return list(AccountDeletion.objects.owed(timezone.now()).values_list("lane", flat=True))


def proceed(deletion: AccountDeletion, claim: lanes.Claim) -> None:
    """Take the steps that are left. Call it holding the lane, with no transaction open.

    Raises `StripeUnavailable`, `StripeRefused`, `steps.StillBilled`, `OfAnotherAccount`; confirmed steps stay stamped.
    """
    if deletion.customer:
        stripe_account.refuse_if_elsewhere(deletion.customer)
    if deletion.is_done and deletion.is_billed:
        _start_over(deletion)
    if not deletion.is_done:
        if _has_moved(deletion):
            return
        _take_steps(deletion, claim)
    if deletion.customer_id:
        copies.redact_events(deletion.customer_id, partial(lanes.renew, claim))


def _take_steps(deletion: AccountDeletion, claim: lanes.Claim) -> None:
    if deletion.customer_id and not steps.is_customer_deleted(deletion):
        for field, step in STEPS.items():
            if getattr(deletion, field) is None:
                lanes.renew(claim)
                _take(step, deletion)
                _write(deletion, **{field: clock.now()})
    with transaction.atomic():
        # A Checkout of that moment may have made another customer.
        lanes.wake_all(_begin_parts(deletion))
    if deletion.has_open_parts:
        _write(deletion, next_attempt_at=timezone.now() + PARTS_TAKE)
        return
    lanes.renew(claim)
    with stripe_client.drain_reads() as reads:
        lanes.commit_under(claim, reads, partial(_finish, deletion.pk))


def _take(step: Callable[[AccountDeletion], None], deletion: AccountDeletion) -> None:
    """Take a step. What Stripe refuses about a customer who is gone by now is done: nothing of theirs is left there."""
    try:
        step(deletion)
    except StripeRefused:
        if not steps.is_customer_deleted(deletion):
            raise


def postpone(deletion: AccountDeletion, error: Exception) -> None:
    """Record the error, and when the next try is due."""
    failed, message = deletion.attempts + 1, tries.describe(error)
    _write(deletion, attempts=failed, next_attempt_at=tries.next_try_of_owed(failed), error_message=message)


def try_now(deletion: AccountDeletion) -> None:
    """Make the next try due now, for staff who do not want to wait."""
    with transaction.atomic():
        _write(deletion, next_attempt_at=None)
        lanes.wake(deletion.lane)


def _start_over(deletion: AccountDeletion) -> None:
    """Take every step again, by new idempotency keys: Stripe bills again after the deletion was done."""
    _write(deletion, attempts=deletion.attempts + 1, **dict.fromkeys([*STEPS, "done_at"]))


def _has_moved(deletion: AccountDeletion) -> bool:
    """Move the deletion to the lane of a customer that a crash left at Stripe. Returns whether there is one."""
    if deletion.customer_id or deletion.subscriber is None:
        return False
    customer = customers.find_customer(deletion.subscriber)
    if customer is None:
        return False
    with transaction.atomic():
        _write(deletion, customer=customer, lane=customer.pk)
        lanes.wake(customer.pk)
    return True


def _finish(pk: Any) -> None:
    """Change our rows, once nothing is left at Stripe; money is kept, names and addresses are not."""
    deletion = AccountDeletion.objects.select_related("customer", "subscriber", "part_of").get(pk=pk)
    addresses = [deletion.customer.email if deletion.customer else "", customer_details.email_of(deletion.subscriber)]
    for address in addresses:
        copies.redact_log(address)
    if deletion.subscriber is not None:
        grants.end_all(deletion.subscriber)
        usage.crediting.forget_words(deletion.subscriber)
        usage.overriding.forget_words(deletion.subscriber)
        _end_agreements(deletion.subscriber)
    if deletion.customer:
        _end_customer(deletion.customer)
    now: datetime = clock.now()
    done = dict.fromkeys((field for field in STEPS if getattr(deletion, field) is None), now)
    _write(deletion, **done, done_at=now, next_attempt_at=None, error_message="")
    if deletion.part_of and not deletion.part_of.has_open_parts:
        try_now(deletion.part_of)
    if deletion.subscriber is not None:
        _send(signals.account_closed, deletion, email=next(filter(None, addresses), ""))


def _end_agreements(subscriber: Any) -> None:
    """Discard the agreements that have not started, and clear the texts of all."""
    theirs = Agreement.objects.filter(subscriber=subscriber)
    theirs.open().update(status=Agreement.Status.DISCARDED)
    theirs.update(po_number="", memo="", error_message="")


def _end_customer(customer: Customer) -> None:
    with suppress(*StripeRefused):  # of who is gone Stripe may refuse to say anything, and all is confirmed
        subscriptions.refresh(customer)
    subscriptions.end_for_deleted_customer(customer)
    customer.subscriber = None
    customer.save(update_fields=["subscriber"])
    redact_rows(customer.pk)
    copies.redact_reasons(customer)
    customer.email = ""
    customer.save(update_fields=["email"])


def _send(signal: Any, deletion: AccountDeletion, **details: Any) -> None:
    subscription = deletion.customer.subscription if deletion.customer else None
    signal.send(
        sender=AccountDeletion,
        subscription=subscription,
        deletion=deletion,
        subscriber=deletion.subscriber,
        **details,
    )


def _write(deletion: AccountDeletion, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(deletion, name, value)
    deletion.save(update_fields=list(columns))

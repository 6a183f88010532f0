"""Leaving: nothing is called deleted while Stripe may still bill it.

1. `begin` marks the account as closing: access ends, nothing can be bought any more, and `account_closing` lets the
   host project end sessions and revoke tokens.
2. The worker, holding the customer's lane, takes the steps of `STEPS` at Stripe one by one. Each looks at what Stripe
   says now, so it may be taken again after a crash or a lost answer, and is stamped once Stripe has confirmed it.
3. The rows follow in one transaction: our customer becomes a tombstone that keeps the money ledger, and
   `account_closed` lets the host project anonymise the subscriber.
4. What is personal goes from the events we keep and from dj-stripe's rows (`copies`), and from those that come later.

While Stripe does not answer, the next try is a minute later, then twice as long each time, at most an hour. A Checkout
paid behind our back, while closing or even after, is cancelled and refunded: `AccountDeletion.objects.owed`.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing import clock, lanes, signals, stripe_client, subscriptions
from billing.lanes import tries
from billing.lifecycle import customers
from billing.models import AccountDeletion, CheckoutAttempt, Customer, Subscription
from billing.subscriptions import customer_details, redact_rows

from . import copies, steps

STEPS: dict[str, Callable[[AccountDeletion], None]] = {
    "checkouts_expired_at": steps.expire_checkouts,
    "schedules_released_at": steps.release_schedules,
    "subscriptions_canceled_at": steps.cancel_subscriptions,
    "invoices_voided_at": steps.void_invoices,
    "customer_removed_at": steps.remove_customer,
}


def deletion_of(subscriber: Any) -> AccountDeletion | None:
    return AccountDeletion.objects.filter(subscriber=subscriber).first()


def begin(subscriber: Any) -> AccountDeletion:
    """Mark the account as closing and queue the work; asked again, says how far it is. No Stripe call."""
    customer = Customer.objects.of(subscriber, deleted_too=True)
    lane = customer.pk if customer else f"leaving:{subscriber.pk}"
    with transaction.atomic():
        leaving, is_new = AccountDeletion.objects.get_or_create(
            subscriber=subscriber, defaults={"customer": customer, "lane": lane, "requested_at": clock.now()}
        )
        if is_new:
            open_attempts = CheckoutAttempt.objects.filter(customer=customer, status=CheckoutAttempt.Status.OPEN)
            open_attempts.update(status=CheckoutAttempt.Status.EXPIRED)
            _send(signals.account_closing, leaving)
            lanes.wake(lane)
    return leaving


def owed_deletions(lane: str) -> list[AccountDeletion]:
    """What is due now on this lane. Asked after every drain: nearly always the short question answers it."""
    rows = AccountDeletion.objects.filter(lane=lane)
    return list(rows.owed(timezone.now())) if rows.exists() else []


def due_lanes() -> list[str]:
    """Lanes where a deletion waits to be gone on with."""
    return list(AccountDeletion.objects.owed(timezone.now()).values_list("lane", flat=True))


def proceed(leaving: AccountDeletion, claim: lanes.Claim) -> None:
    """Take the steps that are left, holding the lane, with no transaction open.

    Raises StripeUnavailable, StripeRefused, `removal.StillBilled`: what was confirmed stays stamped.
    """
    if leaving.is_done and leaving.is_billed:
        _start_over(leaving)
    if not leaving.is_done:
        if _has_moved(leaving):
            return
        _take_steps(leaving, claim)
    if leaving.customer_id:
        copies.redact_events(leaving.customer_id, partial(lanes.renew, claim))


def _take_steps(leaving: AccountDeletion, claim: lanes.Claim) -> None:
    if leaving.customer_id and not steps.is_customer_deleted(leaving):
        for field, step in STEPS.items():
            if getattr(leaving, field) is None:
                lanes.renew(claim)
                step(leaving)
                _write(leaving, **{field: clock.now()})
    lanes.renew(claim)
    with stripe_client.drain_reads() as reads:
        lanes.commit_under(claim, reads, partial(_finish, leaving.pk))


def postpone(leaving: AccountDeletion, error: Exception) -> None:
    """Note what went wrong, and when it is tried again."""
    next_at, message = tries.next_at(leaving.attempts), tries.words(error)
    _write(leaving, attempts=leaving.attempts + 1, next_attempt_at=next_at, error_message=message)


def try_now(leaving: AccountDeletion) -> None:
    """Staff's way past the wait."""
    with transaction.atomic():
        _write(leaving, next_attempt_at=None)
        lanes.wake(leaving.lane)


def _start_over(leaving: AccountDeletion) -> None:
    """Stripe bills again after all was done: every step is taken anew, by keys of its own."""
    _write(leaving, attempts=leaving.attempts + 1, **dict.fromkeys([*STEPS, "done_at"]))


def _has_moved(leaving: AccountDeletion) -> bool:
    """Whether a customer left behind by a crash was found now: the work goes on in that customer's lane."""
    if leaving.customer_id or leaving.subscriber is None:
        return False
    customer = customers.find_customer(leaving.subscriber)
    if customer is None:
        return False
    with transaction.atomic():
        _write(leaving, customer=customer, lane=customer.pk)
        lanes.wake(customer.pk)
    return True


def _finish(pk: Any) -> None:
    """The rows, once nothing is left at Stripe; money is kept, names and addresses are not."""
    leaving = AccountDeletion.objects.select_related("customer", "subscriber").get(pk=pk)
    email = (leaving.customer.email if leaving.customer else "") or customer_details.email_of(leaving.subscriber)
    if leaving.customer:
        _end_customer(leaving.customer)
    now: datetime = clock.now()
    done = dict.fromkeys((field for field in STEPS if getattr(leaving, field) is None), now)
    _write(leaving, **done, done_at=now, next_attempt_at=None, error_message="")
    if leaving.subscriber is not None:
        _send(signals.account_closed, leaving, email=email)


def _end_customer(customer: Customer) -> None:
    subscriptions.refresh(customer)
    subscriptions.end_for_deleted_customer(customer)
    redact_rows(customer.pk)
    copies.redact_reasons(customer)
    customer.email = ""
    customer.save(update_fields=["email"])


def _send(signal: Any, leaving: AccountDeletion, **details: Any) -> None:
    subscription = Subscription.objects.filter(customer=leaving.customer_id).first() if leaving.customer_id else None
    signal.send(
        sender=AccountDeletion,
        subscription=subscription,
        deletion=leaving,
        subscriber=leaving.subscriber,
        **details,
    )


def _write(leaving: AccountDeletion, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(leaving, name, value)
    leaving.save(update_fields=list(columns))

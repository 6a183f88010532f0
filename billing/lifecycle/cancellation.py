"""Cancellations we owe Stripe: decided in the transaction that held access, made after it, until Stripe agrees."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from billing import stripe_client
from billing.models import Customer, StripeWrite
from billing.stripe_client import StripeRefused, StripeUnavailable

ALREADY_CANCELED = frozenset({"resource_missing"})
RETRY = timedelta(minutes=1)


def owe(customer: Customer, subscription_id: str, reference: str) -> None:
    """Note that this subscription must be cancelled at Stripe because of `reference`; asked twice, it is owed once."""
    write, _ = StripeWrite.objects.get_or_create(
        action=StripeWrite.Action.CANCEL_SUBSCRIPTION,
        object_id=subscription_id,
        reference=reference,
        defaults={"lane": customer.pk, "requested_at": timezone.now()},
    )
    if write.withdrawn_at:
        write.withdrawn_at = None
        write.save(update_fields=["withdrawn_at"])


def withdraw(reference: str) -> None:
    """The cause has gone (its refund failed): what was not yet asked of Stripe is not asked any more."""
    StripeWrite.objects.filter(reference=reference, done_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())


def owed(lane: str) -> list[StripeWrite]:
    """What is due now on this lane."""
    is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    return list(StripeWrite.objects.filter(is_due, lane=lane, done_at=None, withdrawn_at=None).order_by("requested_at"))


def make(write: StripeWrite) -> None:
    """Cancel at Stripe, outside any transaction, and stamp it; on an outage it stays owed."""
    try:
        stripe_client.delete(f"/v1/subscriptions/{write.object_id}", idempotency_key=str(write.pk))
    except StripeRefused as error:
        if error.code not in ALREADY_CANCELED:
            _postpone(write, str(error.user_message or error.code))
            return
    except StripeUnavailable as error:
        _postpone(write, str(error))
        return
    StripeWrite.objects.filter(pk=write.pk).update(done_at=timezone.now(), error_message="")


def _postpone(write: StripeWrite, error: str) -> None:
    StripeWrite.objects.filter(pk=write.pk).update(
        attempts=write.attempts + 1, next_attempt_at=timezone.now() + RETRY, error_message=error
    )

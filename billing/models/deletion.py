"""Each deletion of an account is a row, kept for good, that records how far the deletion has come."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from billing.conf import conf

from .ledger import StripeEvent
from .subscriber import OneSubscriberKey
from .subscription import Customer, Subscription

Status = Subscription.Status
# Stripe retries a delivery for three days, and the sync finds older events in Stripe's list, within these days.
EVENTS_COME_FOR = timedelta(days=35)
BILLED = sorted(set(Status) - {Status.NONE, *Subscription.TERMINAL})


class AccountDeletionQuerySet(models.QuerySet["AccountDeletion"]):
    def owed(self, at: datetime) -> "AccountDeletionQuerySet":
        """Return deletions that are due.

        A finished one is due again if Stripe bills again (a Checkout was paid meanwhile), or if events about the
        person have arrived, which Stripe still delivers for days.
        """
        is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=at)
        billed = Subscription.objects.filter(customer=OuterRef("customer_id"), status__in=BILLED)
        bills_again = Q(Exists(billed))
        events = StripeEvent.objects.unredacted().filter(lane=OuterRef("customer_id"))
        is_told_of = Q(Exists(events), done_at__gt=at - EVENTS_COME_FOR)
        return self.filter(is_due, Q(done_at=None) | bills_again | is_told_of)


class AccountDeletion(models.Model):
    """A deletion ends one account. A step is stamped once Stripe has confirmed it, and is not taken again.

    A subscriber's earlier customers are each a part, with a lane of its own; the deletion is done after its parts.
    """

    STEPS: ClassVar[dict[str, str]] = {
        "checkouts_expired_at": "expire open Checkouts",
        "schedules_released_at": "release schedules",
        "subscriptions_canceled_at": "cancel subscriptions",
        "invoices_voided_at": "void open invoices",
        "customer_removed_at": "remove the customer",
        "done_at": "anonymise the account",
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscriber: Any = OneSubscriberKey(
        conf.subscriber_model, null=True, blank=True, on_delete=models.SET_NULL, related_name="billing_deletion"
    )
    customer = models.OneToOneField(
        Customer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="deletion",
        help_text="The customer whom Stripe bills",
    )
    part_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="parts",
        help_text="The deletion that waits for this one: of an earlier customer of the same subscriber",
    )
    lane = models.CharField(max_length=255, db_index=True, help_text="The lane in which the worker does this")
    requested_at = models.DateTimeField()
    checkouts_expired_at = models.DateTimeField(null=True, blank=True)
    schedules_released_at = models.DateTimeField(null=True, blank=True)
    subscriptions_canceled_at = models.DateTimeField(null=True, blank=True)
    invoices_voided_at = models.DateTimeField(null=True, blank=True)
    customer_removed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True, default="")

    objects = AccountDeletionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["requested_at"], name="billing_deletion_open", condition=Q(done_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"deletion of {self.customer_id or 'an account without a customer'}"

    @property
    def is_done(self) -> bool:
        return self.done_at is not None

    @property
    def has_open_parts(self) -> bool:
        return self.parts.filter(done_at=None).exists()

    @property
    def is_billed(self) -> bool:
        """Return whether Stripe still bills, by our rows."""
        return Subscription.objects.filter(customer=self.customer_id, status__in=BILLED).exists()

    @property
    def next_step(self) -> str:
        """Return the next step in words; "" when none is left."""
        return next((words for field, words in self.STEPS.items() if getattr(self, field) is None), "")

"""An agreement with a subscriber says what they buy by invoice: the plan, the amount, and the days until it is due."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from billing.cadence import Cadence
from billing.conf import conf

from .catalogue import MAIN_LINE, Plan, Price
from .subscription import Customer


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def open(self) -> "AgreementQuerySet":
        """Return the agreements that may still start a subscription."""
        return self.filter(status__in=Agreement.OPEN)

    def starting(self) -> "AgreementQuerySet":
        """Return the agreements that Stripe is being asked to start, and those whose answer is not known yet."""
        return self.filter(status=Agreement.Status.STARTING)


class Agreement(models.Model):
    """Staff draft an agreement and then send it: its subscription starts at once or on a day, and Stripe sends the
    invoice. The row's id is part of the idempotency key of each call, so that it starts one subscription.

    Its terms never change. `key` names what asked for it: the same key drafts nothing twice. `unit_amount` is what was
    agreed for one unit, in minor units; without it the subscriber pays the plan's price.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        SENT = "sent", "sent, starts on its day"
        STARTING = "starting", "being started at Stripe"
        STARTED = "started"
        REFUSED = "refused", "refused, can be sent again"
        DISCARDED = "discarded"

    OPEN = (Status.DRAFT, Status.SENT, Status.STARTING, Status.REFUSED)
    # From these it can be sent, and from these discarded.
    SENDABLE = (Status.DRAFT, Status.REFUSED)
    DISCARDABLE = (Status.DRAFT, Status.SENT, Status.REFUSED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        max_length=100, unique=True, help_text="What asked for it; the same key drafts nothing twice"
    )
    subscriber: Any = models.ForeignKey(
        conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_agreements"
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    line = models.SlugField(default=MAIN_LINE)
    price = models.ForeignKey(
        Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty until it is made"
    )
    interval = models.CharField(max_length=5, choices=Price.Interval.choices)
    interval_count = models.PositiveSmallIntegerField(default=1)
    currency = models.CharField(max_length=3)
    unit_amount = models.BigIntegerField(
        null=True, blank=True, help_text="Agreed minor units for one unit; empty: the plan's price"
    )
    quantity = models.PositiveIntegerField(default=1)
    days_until_due = models.PositiveSmallIntegerField()
    po_number = models.CharField(max_length=140, blank=True, help_text="The subscriber's purchase order number")
    memo = models.CharField(max_length=500, blank=True, help_text="Stands on each invoice")
    trial_days = models.PositiveSmallIntegerField(default=0, help_text="Days of access before the first invoice")
    discount = models.CharField(max_length=200, blank=True, help_text="A coupon or promotion code at Stripe")
    starts_on = models.DateField(null=True, blank=True, help_text="Empty: as soon as it is sent")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="agreements")
    subscription_id = models.CharField(max_length=255, blank=True, db_index=True)
    invoice_id = models.CharField(max_length=255, blank=True)
    refusals = models.PositiveSmallIntegerField(default=0, help_text="A part of the idempotency keys of the next try")
    error_message = models.TextField(blank=True, default="")
    drafted_by = models.CharField(max_length=255, blank=True, default="")
    sent_by = models.CharField(max_length=255, blank=True, default="")
    drafted_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        permissions = [("send_agreement", "Can start a subscription that is paid by invoice")]
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "line"], condition=Q(status="starting"), name="billing_one_agreement_starts"
            )
        ]
        indexes = [
            models.Index(
                fields=["status"],
                name="billing_agreement_open",
                condition=Q(status__in=["sent", "starting", "refused"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.cadence.per}, due in {self.days_until_due} days"

    @property
    def cadence(self) -> Cadence:
        return Cadence(self.interval, self.interval_count)

    @property
    def may_be_sent(self) -> bool:
        return self.status in self.SENDABLE

    @property
    def may_be_discarded(self) -> bool:
        return self.status in self.DISCARDABLE

"""Use beyond the limit is priced by metered prices, and reported to Stripe's meters from these rows, the outbox."""

import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q

from billing.cadence import Cadence
from billing.conf import conf

from .catalogue import Plan, Price
from .subscriber import OneSubscriberKey
from .usage import Usage


class OveragePrice(models.Model):
    """A metered price at Stripe prices what is used of a feature beyond a plan's limit, by one cadence of the plan.

    Amounts are minor units for one use, as text, since they may have fractions: {"usd": "2.5"}. A price that another
    one has replaced is no longer current, and stays for those who pay it.
    """

    id = models.CharField(primary_key=True, max_length=255)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="overage_prices")
    feature = models.SlugField()
    interval = models.CharField(max_length=5, choices=Price.Interval)
    interval_count = models.PositiveSmallIntegerField(default=1)
    amounts: Any = models.JSONField(default=dict, help_text='Minor units for one use by currency: {"usd": "2.5"}')
    meter = models.CharField(max_length=255, help_text="The meter at Stripe")
    event_name = models.CharField(max_length=100, help_text="The name by which use is reported to the meter")
    is_current = models.BooleanField(default=True, help_text="Whether new subscriptions get it")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "feature", "interval", "interval_count"],
                condition=Q(is_current=True),
                name="billing_one_overage_price",
            )
        ]

    def __str__(self) -> str:
        return f"{self.feature} beyond the limit of {self.plan}"

    @property
    def cadence(self) -> Cadence:
        return Cadence(self.interval, self.interval_count)

    def unit_in(self, currency: str) -> Decimal | None:
        """Return the minor units that one use costs; None if it is not priced in this currency."""
        found = self.amounts.get(currency)
        return None if found is None else Decimal(found)


class UsageReport(models.Model):
    """A row reports to a Stripe meter what a month's counter has counted beyond the limit since the row before it.

    Its id is the event's identifier. Stripe counts an identifier once for a day only, so a row is sent again only
    within that time: after it, what Stripe has counted is asked for first. What was given back is a negative row.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be sent"
        SENDING = "sending", "sent, and Stripe has not answered yet"
        SENT = "sent", "counted by Stripe"
        DOUBTFUL = "doubtful", "nobody knows whether Stripe counted it"
        REFUSED = "refused", "refused by Stripe"
        LATE = "late", "too late for Stripe to count it"
        DROPPED = "dropped", "given up by staff"

    OPEN = (State.WAITING, State.SENDING)
    NEEDS_PERSON = (State.DOUBTFUL, State.REFUSED, State.LATE)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    usage = models.ForeignKey(Usage, on_delete=models.CASCADE, related_name="reports")
    price = models.ForeignKey(OveragePrice, on_delete=models.PROTECT, related_name="+")
    customer_id = models.CharField(max_length=255, db_index=True, help_text="The customer at Stripe")
    subscription_id = models.CharField(max_length=255, help_text="The subscription that bills it")
    currency = models.CharField(max_length=3)
    quantity = models.BigIntegerField(help_text="Uses; negative for what was given back")
    at = models.DateTimeField(help_text="The time that Stripe is told, which decides the period that bills it")
    made_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When it was first sent by this identifier")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was known to be counted")
    error_message = models.TextField(blank=True, default="")
    settled_by = models.CharField(max_length=255, blank=True, default="", help_text="Who decided about it")

    class Meta:
        permissions = [("settle_usagereport", "Can send a usage report again, count it as sent, or give it up")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="billing_report_open",
                condition=Q(state__in=["waiting", "sending"]),
            ),
            models.Index(
                fields=["made_at"],
                name="billing_report_needs_person",
                condition=Q(state__in=["doubtful", "refused", "late"]),
            ),
            models.Index(fields=["customer_id", "at"], name="billing_report_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:,} {self.price.feature} of {self.at:%Y-%m-%d %H:%M}"


class SpendCap(models.Model):
    """A subscriber's cap on what use beyond the limits may cost in a month, in place of BILLING_SPEND_CAP."""

    class Policy(models.TextChoices):
        STOP = "stop", "use is refused at the cap"
        WARN = "warn", "use goes on, and the subscriber is told"

    subscriber: Any = OneSubscriberKey(
        conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_spend_cap"
    )
    amount = models.PositiveBigIntegerField(help_text="Minor units a month; 0: nothing beyond the limits")
    currency = models.CharField(max_length=3)
    policy = models.CharField(max_length=4, choices=Policy, default=Policy.STOP)
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=255, blank=True, default="", help_text="Who or what set it")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}, {self.policy}"

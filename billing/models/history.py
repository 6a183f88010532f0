"""What a subscription was: one row for each real change, added and never written over."""

from typing import ClassVar

from django.db import models

from .catalogue import Plan, Price
from .subscription import Customer, Subscription


class SubscriptionChange(models.Model):
    """A subscription as it stood from `recorded_at` on, by the clock of the rules, until the next row."""

    STATE: ClassVar[tuple[str, ...]] = (
        "stripe_id",
        "status",
        "plan_id",
        "price_id",
        "quantity",
        "unmapped_price",
        "started_at",
        "current_period_start",
        "current_period_end",
        "trial_end",
        "cancel_at",
        "ended_at",
        "past_due_since",
    )

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="subscription_changes")
    recorded_at = models.DateTimeField()
    stripe_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=20, choices=Subscription.Status.choices)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    unmapped_price = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    trial_end = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    past_due_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["customer", "recorded_at"], name="billing_change_by_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.status} from {self.recorded_at:%Y-%m-%d %H:%M}"

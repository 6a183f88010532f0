"""Each real change of a subscription adds a row of history, which is never overwritten; other rows keep what was last
announced."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from billing.conf import conf

from .catalogue import MAIN_LINE, Plan, Price
from .subscriber import SubscriberKey
from .subscription import Customer, Subscription
from .texts import StripeText


class SubscriptionChange(models.Model):
    """A row keeps a subscription as it stood from `recorded_at` on, by the clock of the rules, until the next row."""

    STATE: ClassVar[tuple[str, ...]] = (
        "stripe_id",
        "whose",
        "line",
        "counts",
        "status",
        "plan_id",
        "price_id",
        "quantity",
        "add_ons",
        "currency",
        "unmapped_price",
        "started_at",
        "current_period_start",
        "current_period_end",
        "trial_end",
        "cancel_at",
        "ended_at",
        "past_due_since",
        "past_due_method",
        "collection_paused",
        "paid_until",
    )

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="subscription_changes")
    recorded_at = models.DateTimeField()
    cause = models.CharField(max_length=255, blank=True, default="", help_text="The event or person that caused it")
    stripe_id = models.CharField(max_length=255, blank=True)
    whose = models.CharField(max_length=7, choices=Subscription.Whose.choices, default=Subscription.Whose.OURS)
    line = models.SlugField(blank=True, default=MAIN_LINE)
    counts = models.BooleanField(default=True, help_text="Whether it was the one in its line that gave access")
    status = models.CharField(max_length=20, choices=Subscription.Status.choices)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    add_ons: Any = models.JSONField(default=dict, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    mrr = models.BigIntegerField(default=0, help_text="Monthly recurring revenue from then on, minor units")
    unmapped_price = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    trial_end = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    past_due_since = models.DateTimeField(null=True, blank=True)
    past_due_method = StripeText(max_length=40, blank=True)
    collection_paused = StripeText(max_length=30, blank=True)
    paid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["customer", "recorded_at"], name="billing_change_by_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.status} from {self.recorded_at:%Y-%m-%d %H:%M}"

    @classmethod
    def state_of(cls, row: "Subscription | SubscriptionChange") -> dict[str, object]:
        return {name: getattr(row, name) for name in cls.STATE}


class MrrMovement(models.Model):
    """A movement changes the monthly recurring revenue (MRR). The sum of all up to a moment is the MRR then.

    A customer starts to pay by `new` or `reactivation`, and stops by `churn` only, so these tell how many pay.
    """

    class Kind(models.TextChoices):
        NEW = "new"
        EXPANSION = "expansion"
        CONTRACTION = "contraction"
        CHURN = "churn"
        REACTIVATION = "reactivation"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="mrr_movements")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount = models.BigIntegerField(help_text="Minor units a month; negative for a decrease")
    currency = models.CharField(max_length=3)
    moved_at = models.DateTimeField()

    class Meta:
        verbose_name = "MRR movement"
        indexes = [models.Index(fields=["moved_at", "currency", "kind", "amount"], name="billing_mrr_moved")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.kind} {self.amount} {self.currency}"


class AnnouncedAccess(models.Model):
    """A row keeps what was last announced of somebody's access in a line, whatever gave it.

    It is about a subscriber, or about a customer who has none.
    """

    subscriber: Any = SubscriberKey(
        conf.subscriber_model, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="announced_access"
    )
    line = models.SlugField(default=MAIN_LINE)
    is_granted = models.BooleanField(default=False, help_text="Whether access_granted was announced last")
    revoked_because = models.CharField(max_length=40, blank=True, help_text="Reason of the last access_revoked")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "line"], name="billing_announced_once_per_line"),
            models.UniqueConstraint(fields=["customer", "line"], name="billing_announced_once_per_customer"),
            models.CheckConstraint(condition=Q(subscriber=None) ^ Q(customer=None), name="billing_announced_of_one"),
        ]

    def __str__(self) -> str:
        who = self.customer_id or f"subscriber {self.subscriber_id}"
        return f"{who} {self.line} {'granted' if self.is_granted else 'revoked'}"

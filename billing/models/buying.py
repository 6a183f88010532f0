"""These rows keep purchases and changes of plan that a subscriber has begun."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from .catalogue import MAIN_LINE, Price
from .subscription import Customer


class CheckoutAttempt(models.Model):
    """An attempt records that somebody began to buy. Its id is the idempotency key of its Stripe Checkout session."""

    class Status(models.TextChoices):
        OPEN = "open"
        COMPLETED = "completed"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="checkout_attempts")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    line = models.SlugField(default=MAIN_LINE, help_text="The line of the plan; in each one attempt may be open")
    currency = models.CharField(max_length=3, blank=True)
    quantity = models.PositiveIntegerField(default=1)
    add_ons: Any = models.JSONField(default=dict, blank=True, help_text='How many of each add-on: {"extra": 2}')
    locale = models.CharField(max_length=10, blank=True, help_text="Stripe's name of the page's language")
    promotion_code = models.CharField(
        max_length=255, blank=True, help_text="The id at Stripe of the promotion code that is preset"
    )
    session_id = models.CharField(max_length=255, blank=True, db_index=True)
    url = models.TextField(blank=True)
    params: Any = models.JSONField(
        default=dict, blank=True, help_text="What was sent to Stripe: the same key takes nothing else"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "line"], condition=Q(status="open"), name="billing_one_open_checkout_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.price_id} {self.status}"


class PlanChange(models.Model):
    """A change of plan is previewed and then asked of Stripe. Its id is part of the idempotency key of each call."""

    class Status(models.TextChoices):
        PREVIEWED = "previewed"
        ASKED = "asked", "requested, with no answer from Stripe yet"
        AWAITED = "awaited", "made at Stripe; counts once its invoice is paid"
        MADE = "made", "made, scheduled, or waiting for its payment"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="plan_changes")
    subscription_id = models.CharField(max_length=255)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    previous_price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    invoice_id = models.CharField(max_length=255, blank=True, help_text="The invoice that an awaited change waits for")
    quantity = models.PositiveIntegerField(default=1, help_text="Number of seats that was previewed")
    add_ons: Any = models.JSONField(
        null=True, blank=True, help_text="How many of each add-on from then on; empty: a change of plan"
    )
    previous_items: Any = models.JSONField(
        default=list, blank=True, help_text="The items of plan and add-ons until then, to put an awaited change back"
    )
    proration_date = models.BigIntegerField(
        help_text="UTC seconds; the old plan is paid until then, the new plan from then on"
    )
    status = models.CharField(max_length=10, choices=Status.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["customer", "created_at"], name="billing_plan_changes")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.price_id} {self.status}"

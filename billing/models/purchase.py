"""A pack is bought once; a purchase records that somebody began to buy one, and what became of it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from .catalogue import Plan
from .subscription import Customer
from .texts import StripeText


class Pack(models.Model):
    """A pack is sold once, by a one-off price: credits of a feature, or a plan, for some days or for good.

    What is the project's own (`is_own`) is delivered and taken back by its receivers of our signals.

    `amounts` are minor units by currency. `price_id` is the price at Stripe; empty until `setup_stripe` has made it.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    feature = models.SlugField(blank=True, default="")
    quantity = models.PositiveBigIntegerField(null=True, blank=True, help_text="Credits of the feature")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_own = models.BooleanField(default=False, help_text="The project delivers it, when purchase_completed is sent")
    lasts_days = models.PositiveIntegerField(null=True, blank=True, help_text="Days from delivery; empty: for good")
    is_public = models.BooleanField(default=True)
    price_id = models.CharField(max_length=255, blank=True, db_index=True, help_text="The price at Stripe")
    product = models.CharField(max_length=255, blank=True, help_text="The product at Stripe")
    currency = models.CharField(max_length=3, blank=True, help_text="The main currency of the price")
    amounts: Any = models.JSONField(default=dict, blank=True, help_text='Minor units by currency: {"usd": 1000}')
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["place", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(plan__isnull=False, feature="", quantity=None, is_own=False)
                    | Q(plan=None, quantity__gte=1, is_own=False) & ~Q(feature="")
                    | Q(plan=None, feature="", quantity=None, lasts_days=None, is_own=True)
                ),
                name="billing_pack_gives_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_for_sale(self) -> bool:
        return self.is_public and bool(self.price_id)


class PurchaseQuerySet(models.QuerySet["Purchase"]):
    def of_guests(self) -> "PurchaseQuerySet":
        """Return what guests began to buy, or bought, and no subscriber has yet."""
        return self.exclude(guest_email="")

    def unmatched(self) -> "PurchaseQuerySet":
        """Return what guests have paid, or are paying, and nobody has signed up for."""
        return self.of_guests().filter(status__in=[Purchase.Status.PROCESSING, Purchase.Status.PAID])


class Purchase(models.Model):
    """A purchase of a pack. Its id is the idempotency key of its Stripe Checkout session.

    `given_back` is what was refunded or is disputed of `amount`, in minor units. `source` of what it gave is
    `pack:` and the id. `guest_email` is there while it waits for whoever bought it without an account.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        PROCESSING = "processing", "processing: the payment takes days"
        PAID = "paid"
        FAILED = "failed", "failed: the payment did not come"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="purchases")
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, related_name="purchases")
    quantity = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(null=True, blank=True, help_text="What was paid, minor units")
    given_back = models.BigIntegerField(default=0, help_text="Refunded, disputed or lost of it, minor units")
    locale = models.CharField(max_length=10, blank=True, default="", help_text="The language of Stripe's page")
    session_id = models.CharField(max_length=255, blank=True, db_index=True)
    url = models.TextField(blank=True)
    payment_intent = models.CharField(max_length=255, blank=True, db_index=True)
    invoice_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    guest_email = StripeText(
        max_length=254, blank=True, help_text="The address of a guest; empty once it belongs to a subscriber"
    )
    times_given = models.PositiveSmallIntegerField(default=0, help_text="How often its plan was given")
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = PurchaseQuerySet.as_manager()

    class Meta:
        permissions = [("match_purchase", "Can give what a guest bought to a subscriber, or delete the guest")]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "pack"], condition=Q(status="open"), name="billing_one_open_purchase_per_pack"
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=["open", "processing"]),
                name="billing_purchase_awaited",
            ),
            models.Index(fields=["created_at"], condition=~Q(guest_email=""), name="billing_purchase_of_guest"),
        ]

    def __str__(self) -> str:
        return f"{self.pack_id} of {self.customer_id}, {self.status}"

    @property
    def gives_until(self) -> datetime | None:
        """Return when what it gives ends, from delivery on; None for good. Plans bought at once add their days."""
        if self.delivered_at is None or self.pack.lasts_days is None:
            return None
        return self.delivered_at + timedelta(days=self.pack.lasts_days * (self.quantity if self.pack.plan_id else 1))

    @property
    def source(self) -> str:
        """Return the source of what it gave last. A plan that was taken back is given again by another source."""
        return f"pack:{self.pk}" if self.times_given < 2 else f"pack:{self.pk}:{self.times_given}"

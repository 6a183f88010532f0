"""Each invoice of our customers is a row: what it is for, what is due by when, and how its payment stands."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from .subscription import Customer
from .texts import StripeText


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def owed(self) -> "InvoiceQuerySet":
        """Return the invoices that wait for money, and that buy something or pay for something had."""
        waits = self.filter(status=Invoice.Status.OPEN, amount_remaining__gt=0)
        return waits.filter(purpose__in=[Invoice.Purpose.PLAN, Invoice.Purpose.ONE_OFF])

    def paid(self) -> "InvoiceQuerySet":
        return self.filter(status=Invoice.Status.PAID)

    def awaiting_address(self) -> "InvoiceQuerySet":
        """Return the drafts of ours that Stripe cannot finalize before the customer has an address."""
        drafts = self.filter(lacks_address=True, status=Invoice.Status.DRAFT, customer__deleted_at=None)
        return drafts.exclude(purpose__in=[Invoice.Purpose.FOREIGN, Invoice.Purpose.NOTHING])


class Invoice(models.Model):
    """A row is an invoice as Stripe last described it; only `billing.subscriptions.invoices` writes it. Amounts are
    minor units.

    One-off invoices and those of another product's subscriptions have rows too: `purpose` tells them apart.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAID = "paid"
        VOID = "void"
        UNCOLLECTIBLE = "uncollectible"

    class Standing(models.TextChoices):
        NONE = "none", "nobody has tried to pay"
        PROCESSING = "processing", "on its way"
        REQUIRES_ACTION = "requires_action", "awaiting 3D Secure"
        FAILED = "failed"
        PAID = "paid"

    class Purpose(models.TextChoices):
        PLAN = "plan", "a plan"
        ONE_OFF = "one_off", "a one-off sale"
        FOREIGN = "foreign", "another product"
        NOTHING = "nothing", "nothing any more"

    SENT = "send_invoice"

    id = models.CharField(primary_key=True, max_length=255)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="invoices")
    subscription_id = models.CharField(max_length=255, blank=True, db_index=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    payment = models.CharField(max_length=20, choices=Standing.choices, default=Standing.NONE)
    number = StripeText(max_length=100, blank=True)
    description = models.TextField(blank=True, help_text="What a one-off invoice is for")
    billing_reason = StripeText(max_length=40, blank=True)
    collection_method = StripeText(max_length=30, blank=True)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField(help_text="Minor units, with tax, before the customer's balance is applied")
    tax = models.BigIntegerField(default=0, help_text="Minor units")
    taxes: Any = models.JSONField(
        default=list, blank=True, help_text="For each tax rate: rate (id), amount and taxable (minor units), reason"
    )
    lacks_address = models.BooleanField(
        default=False, help_text="Whether tax needs an address: it stays a draft, or went out without tax"
    )
    balance_applied = models.BigIntegerField(
        default=0, help_text="Minor units that the customer's balance paid; below 0, that it got"
    )
    credited = models.BigIntegerField(default=0, help_text="Minor units of credit notes before the payment")
    amount_due = models.BigIntegerField(help_text="Minor units, after the customer's balance was applied")
    amount_paid = models.BigIntegerField(default=0, help_text="Minor units")
    overpaid = models.BigIntegerField(default=0, help_text="Minor units that were paid too much, beside amount_paid")
    amount_remaining = models.BigIntegerField(default=0, help_text="Minor units")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="An invoice that is charged is due at once")
    created_at = models.DateTimeField()
    finalized_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    written_off_at = models.DateTimeField(null=True, blank=True, help_text="When it was marked uncollectible")
    first_failed_at = models.DateTimeField(null=True, blank=True, help_text="Grace is counted from then")
    period_start = models.DateTimeField(null=True, blank=True, help_text="Start of the time that its lines bill")
    period_end = models.DateTimeField(null=True, blank=True)
    announced_sent_at = models.DateTimeField(null=True, blank=True)
    announced_due_soon_at = models.DateTimeField(null=True, blank=True)
    announced_overdue_at = models.DateTimeField(null=True, blank=True)
    announced_address_at = models.DateTimeField(null=True, blank=True, help_text="When the address was asked for")

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "created_at"], name="billing_invoice_of_customer"),
            models.Index(fields=["due_at"], name="billing_invoice_open", condition=Q(status="open")),
        ]

    def __str__(self) -> str:
        return self.number or self.id

    @property
    def is_first(self) -> bool:
        """Return whether this is the first invoice of its subscription."""
        return self.billing_reason == "subscription_create"

    @property
    def is_sent(self) -> bool:
        """Return whether the customer pays it on its page by the due date, rather than being charged."""
        return self.collection_method == self.SENT

    @property
    def net(self) -> int:
        return self.total - self.tax

    @property
    def is_reverse_charged(self) -> bool:
        """Return whether the customer owes the tax to the tax office in our place."""
        return any(tax.get("reason") == "reverse_charge" for tax in self.taxes)

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def is_one_off(self) -> bool:
        return self.purpose == self.Purpose.ONE_OFF

    def is_overdue(self, at: datetime) -> bool:
        return self.is_open and self.is_sent and self.due_at is not None and self.due_at <= at

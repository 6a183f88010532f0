"""These rows keep Stripe's own books: its balance transactions, credit notes and tax rates. Only the sync writes
these rows. Amounts are minor units.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from .subscription import Customer


class BalanceTransaction(models.Model):
    """A balance transaction moved money on the account's balance at Stripe, also that of other products.

    `amount`, `fee` and `net` are in the currency of the balance. `face_amount` is what the customer's bank moved, in
    the charge's own currency, with the sign of `amount`: the two differ where Stripe converted.
    """

    CHARGES = ("charge", "charge_failure")
    REFUNDS = ("refund", "refund_failure", "partial_capture_reversal")
    GIVEN_BACK = ("dispute_reversal",)
    DISPUTES = ("dispute", *GIVEN_BACK)

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=60)
    category = models.CharField(max_length=60, help_text="Stripe's reporting category")
    amount = models.BigIntegerField(help_text="Minor units of the balance's currency, before the fee")
    fee = models.BigIntegerField(help_text="Minor units")
    net = models.BigIntegerField(help_text="Minor units")
    currency = models.CharField(max_length=3)
    exchange_rate = models.FloatField(null=True, blank=True)
    face_amount = models.BigIntegerField(help_text="Minor units of the charge's currency")
    face_currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    source = models.CharField(max_length=255, blank=True, db_index=True, help_text="Charge, refund, dispute or other")
    charge = models.CharField(max_length=255, blank=True, db_index=True)
    payment_intent = models.CharField(max_length=255, blank=True, db_index=True)
    refund = models.CharField(max_length=255, blank=True)
    dispute = models.CharField(max_length=255, blank=True)
    customer_id = models.CharField(max_length=255, blank=True, help_text="Known to us or not")
    is_without_invoice = models.BooleanField(default=False, help_text="Stripe says that this charge pays no invoice")

    class Meta:
        indexes = [
            models.Index(fields=["created_at", "id"], name="billing_balance_created"),
            models.Index(fields=["customer_id"], name="billing_balance_customer", condition=~Q(customer_id="")),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_converted(self) -> bool:
        return self.currency != self.face_currency


class CreditNote(models.Model):
    """A credit note takes back a part of an invoice: before its payment, or after it, by a refund, by the customer's
    balance or outside of Stripe.
    """

    id = models.CharField(primary_key=True, max_length=255)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="credit_notes")
    invoice_id = models.CharField(max_length=255, db_index=True)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField(help_text="Minor units, with tax")
    taxes: Any = models.JSONField(default=list, blank=True, help_text="As those of an invoice")
    to_balance = models.BigIntegerField(default=0, help_text="Minor units that the customer's balance got")
    out_of_band = models.BigIntegerField(default=0, help_text="Minor units that were given back outside of Stripe")
    refunds: Any = models.JSONField(default=list, blank=True, help_text="The ids of its refunds")
    created_at = models.DateTimeField(db_index=True)
    voided_at = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return self.id


class TaxRate(models.Model):
    """A tax rate names the country of a tax and its percentage; Stripe Tax makes one for each place."""

    id = models.CharField(primary_key=True, max_length=255)
    percentage = models.DecimalField(max_digits=9, decimal_places=4)
    country = models.CharField(max_length=2, blank=True)
    state = models.CharField(max_length=20, blank=True)
    jurisdiction = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    is_inclusive = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.name} {self.percentage.normalize():f}% {self.country}".strip()

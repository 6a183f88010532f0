"""Each fact about money is a row with Stripe's own id, never deleted. Amounts are minor units, as at Stripe."""

from django.db import models

from .subscription import Customer, Subscription, method_words
from .texts import StripeText


class Payment(models.Model):
    """A payment records a paid invoice."""

    invoice_id = models.CharField(max_length=255, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="payments")
    subscription_id = models.CharField(max_length=255, blank=True, db_index=True)
    amount = models.BigIntegerField(help_text="Minor units")
    currency = models.CharField(max_length=3)
    billing_reason = StripeText(max_length=40, blank=True)
    period_start = models.DateTimeField(null=True, help_text="Start of the period that was paid for")
    period_end = models.DateTimeField(null=True)
    invoiced_at = models.DateTimeField(help_text="When the invoice was created")
    paid_at = models.DateTimeField()
    hosted_invoice_url = models.TextField(blank=True)
    invoice_pdf = models.TextField(blank=True)
    kept_at = models.DateTimeField(null=True, blank=True, help_text="When staff decided to keep what bought nothing")
    bought_nothing = models.BooleanField(
        default=False, help_text="The subscription had ended, or could not be brought back by this invoice"
    )

    class Meta:
        indexes = [models.Index(fields=["paid_at", "currency", "amount"], name="billing_payment_paid")]

    def __str__(self) -> str:
        return self.invoice_id


class PaymentFailure(models.Model):
    """A failure records one failed try to pay an invoice, or one that waits for the cardholder (3D Secure)."""

    invoice_id = models.CharField(max_length=255)
    attempt = models.PositiveSmallIntegerField()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="payment_failures")
    subscription_id = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField(help_text="What remains due, minor units")
    currency = models.CharField(max_length=3)
    is_action_required = models.BooleanField(default=False)
    decline_code = StripeText(
        max_length=60, blank=True, help_text="The decline code of the bank, or the error code of Stripe"
    )
    method = StripeText(max_length=40, blank=True, help_text="Stripe's type of the payment method that failed")
    card_brand = StripeText(max_length=20, blank=True, help_text="Brand of the card that failed")
    card_last4 = StripeText(max_length=4, blank=True, help_text="Last digits of the card or bank account that failed")
    next_attempt_at = models.DateTimeField(null=True, help_text="Empty if Stripe has scheduled no further attempt")
    hosted_invoice_url = models.TextField(blank=True)
    failed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice_id", "attempt"], name="billing_failure_once_per_attempt")
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} attempt {self.attempt}"

    @property
    def paid_with(self) -> str:
        """Return the payment method in words: "Visa ending 0341"; "" if none is known."""
        return method_words(self.method, self.card_brand, self.card_last4)

    @property
    def is_late(self) -> bool:
        """Return whether the payment was a bank debit, which is refused days after it was asked for."""
        return self.method in Subscription.DEBITS


class InvoicePayment(models.Model):
    """A row links a payment intent to its invoice, so that a refund or dispute leads to its customer."""

    id = models.CharField(primary_key=True, max_length=255)
    invoice_id = models.CharField(max_length=255, db_index=True)
    payment_intent = models.CharField(max_length=255, blank=True, db_index=True)
    charge = models.CharField(max_length=255, blank=True, db_index=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="invoice_payments")
    subscription_id = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField(default=0, help_text="What it has paid, minor units of the invoice's currency")
    paid_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.id


class Refund(models.Model):
    id = models.CharField(primary_key=True, max_length=255)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="refunds")
    charge = models.CharField(max_length=255, blank=True, db_index=True)
    payment_intent = models.CharField(max_length=255, blank=True)
    invoice_id = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField(help_text="Minor units")
    currency = models.CharField(max_length=3)
    status = StripeText(max_length=20)
    failure_reason = StripeText(max_length=100, blank=True)
    # Money moves, or has moved; has not moved yet; will not move.
    ISSUED = frozenset({"pending", "succeeded"})
    WAITING = frozenset({"requires_action"})
    UNDONE = frozenset({"failed", "canceled"})
    KNOWN = ISSUED | WAITING | UNDONE
    is_full = models.BooleanField(default=False, help_text="This refund completed the refund of the charge")
    created_at = models.DateTimeField(db_index=True)
    ended_subscription = models.CharField(
        max_length=255, blank=True, help_text="The subscription that was cancelled for this refund, which failed later"
    )

    def __str__(self) -> str:
        return self.id


class Dispute(models.Model):
    id = models.CharField(primary_key=True, max_length=255)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="disputes")
    charge = models.CharField(max_length=255, blank=True, db_index=True)
    payment_intent = models.CharField(max_length=255, blank=True)
    invoice_id = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField(help_text="Minor units")
    currency = models.CharField(max_length=3)
    reason = StripeText(max_length=60, blank=True)
    status = StripeText(max_length=30)
    evidence_due_at = models.DateTimeField(null=True, blank=True, help_text="Stripe accepts an answer until then")
    opened_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id

    # Whoever lost may appeal; the money stays with the bank until that is decided.
    OPEN = frozenset({"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"})
    OPEN_INQUIRY = frozenset({"warning_needs_response", "warning_under_review"})
    REAL = OPEN | {"won", "lost", "prevented"}
    KNOWN = REAL | OPEN_INQUIRY | {"warning_closed"}

    @property
    def is_inquiry(self) -> bool:
        """Return whether this is only a question from the bank: no money moved, and access stays."""
        return self.status.startswith("warning_")

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN | self.OPEN_INQUIRY

    @property
    def is_real_and_open(self) -> bool:
        return self.is_open and not self.is_inquiry

    @property
    def is_lost(self) -> bool:
        return self.status == "lost"

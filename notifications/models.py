"""These tables hold the outbox, with every mail that was decided on, and the suppressed addresses."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from billing.models import Customer


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> "MailQuerySet":
        """Return the mails that wait, whose time has come, and that no worker has."""
        unclaimed = Q(token__isnull=True) | Q(leased_until__lt=now)
        return self.filter(unclaimed, status=Mail.Status.QUEUED, next_attempt_at__lte=now)

    def replaceable_by(self, kind: str) -> "MailQuerySet":
        """Return the mails that a mail of `kind` may take over: never sent, and either skipped or of a kind that `kind`
        replaces."""
        outranked = Q(status=Mail.Status.QUEUED, kind__in=Mail.SAYS_BETTER_THAN.get(kind, ()))
        return self.filter(Q(status=Mail.Status.SKIPPED) | outranked, sent_at__isnull=True)


class Mail(models.Model):
    """A mail is reserved by `key` in the transaction that gave the reason for it. `context` holds minor units and ISO
    dates; templates format them when the mail is sent."""

    class Kind(models.TextChoices):
        WELCOME = "welcome", "Welcome"
        TRIAL_ENDING = "trial_ending", "Trial ending"
        TRIAL_EXTENDED = "trial_extended", "Trial extended"
        TRIAL_PAUSED = "trial_paused", "Trial paused"
        RENEWAL_COMING = "renewal_coming", "Renewal coming"
        PRICE_CHANGE = "price_change", "Price change"
        PRICE_STAYS = "price_stays", "Price stays"
        CARD_EXPIRING = "card_expiring", "Card expiring"
        PLAN_CHANGED = "plan_changed", "Plan changed"
        DOWNGRADE_SCHEDULED = "downgrade_scheduled", "Downgrade scheduled"
        ACCESS_RESTORED = "access_restored", "Access restored"
        ACCESS_ON_HOLD = "access_on_hold", "Access on hold"
        PAYMENT_RECEIVED = "payment_received", "Payment received"
        PAYMENT_RECOVERED = "payment_recovered", "Payment recovered"
        PAYMENT_FAILED = "payment_failed", "Payment failed"
        ACTION_REQUIRED = "action_required", "Action required"
        PAYMENT_PROCESSING = "payment_processing", "Payment processing"
        INVOICE_SENT = "invoice_sent", "Invoice sent"
        INVOICE_DUE_SOON = "invoice_due_soon", "Invoice due soon"
        INVOICE_OVERDUE = "invoice_overdue", "Invoice overdue"
        ADDRESS_NEEDED = "address_needed", "Address needed"
        DISPUTE_OPENED = "dispute_opened", "Dispute opened"
        DISPUTE_CLOSED = "dispute_closed", "Dispute closed"
        REFUND = "refund", "Refund"
        REFUND_FAILED = "refund_failed", "Refund failed"
        SUBSCRIPTION_CANCELLED = "subscription_cancelled", "Subscription cancelled"
        PAYMENTS_PAUSED = "payments_paused", "Payments paused"
        PAYMENTS_RESUMED = "payments_resumed", "Payments resumed"
        DISCOUNT_GIVEN = "discount_given", "Discount given"
        DISCOUNT_ENDED = "discount_ended", "Discount ended"
        QUOTA_OVERFLOW = "quota_overflow", "Quota overflow"
        PACK_WAITING = "pack_waiting", "Pack waiting"
        PACK_DELIVERED = "pack_delivered", "Pack delivered"
        PACK_REVERSED = "pack_reversed", "Pack reversed"
        CREDITS_LOW = "credits_low", "Credits low"
        CREDITS_EXPIRING = "credits_expiring", "Credits expiring"
        SPEND_CAP_REACHED = "spend_cap_reached", "Spend cap reached"
        ACCOUNT_DELETED = "account_deleted", "Account deleted"

    class Status(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        SKIPPED = "skipped", "Skipped: no longer needed"
        FAILED = "failed"
        UNCONFIRMED = "unconfirmed", "Unconfirmed: may have been sent"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        COMPLAINED = "complained", "Complained: reported as spam"

    # Of two with one key the one that says more goes out: a payment that waits for 3D Secure is announced as failed
    # too, one that ends a past-due time as received too.
    SAYS_BETTER_THAN: ClassVar[dict[str, tuple[str, ...]]] = {
        Kind.ACTION_REQUIRED: (Kind.PAYMENT_FAILED,),
        Kind.PAYMENT_RECOVERED: (Kind.PAYMENT_RECEIVED,),
    }
    ARRIVED = frozenset({Status.SENT, Status.DELIVERED, Status.COMPLAINED})
    SETTLED = ARRIVED | {Status.SKIPPED, Status.FAILED, Status.UNCONFIRMED, Status.BOUNCED}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        max_length=600, unique=True, help_text="The reason for this mail. No two mails have the same key."
    )
    kind = models.CharField(max_length=40, choices=Kind.choices)
    recipient = models.EmailField(max_length=512, blank=True)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="mails")
    context: Any = models.JSONField(default=dict)
    language = models.CharField(
        max_length=20, blank=True, help_text="The language of the mail. If empty: LANGUAGE_CODE."
    )
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(help_text="The mail is not tried before this time.")
    woken_at = models.DateTimeField(null=True, blank=True, help_text="When the mail was last put on the queue.")
    token = models.UUIDField(null=True, blank=True, help_text="The token of the worker that has the mail.")
    leased_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="", help_text="Why the mail was skipped, bounced or is not sent yet.")
    created_at = models.DateTimeField(help_text="When the mail was reserved, by billing's clock.")
    cause = models.CharField(
        max_length=255, blank=True, default="", help_text="The event or the action that caused the mail."
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=255, help_text="The mail's Message-ID header.")
    provider_id = models.CharField(max_length=255, blank=True, default="", help_text="The provider's id of the mail.")
    reported_at = models.DateTimeField(null=True, blank=True, help_text="When the provider last reported on the mail.")

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        permissions = [("resend_mail", "Can send a mail again")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="billing_mail_newest"),
            models.Index(fields=["provider_id"], name="billing_mail_at_provider", condition=~Q(provider_id="")),
            models.Index(
                fields=["next_attempt_at"],
                name="billing_mail_waiting",
                condition=Q(status__in=["queued", "sending"]),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Preview(Mail):
    """This proxy has no rows. The admin's gallery of mails and its permissions belong to it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("send_preview", "Can send themselves a mail from the gallery")]
        verbose_name = "mail of the gallery"
        verbose_name_plural = "gallery of mails"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def active(self) -> "SuppressionQuerySet":
        """Return the suppressions that staff have not lifted."""
        return self.filter(lifted_at=None)


class Suppression(models.Model):
    """A suppressed address gets no more mail, since mail to it bounced or was reported as spam.

    There is one row for each address, in lower case. Staff lift it; what the provider reports of an earlier mail then
    has no effect.
    """

    class Reason(models.TextChoices):
        BOUNCED = "bounced", "mail to it bounced"
        COMPLAINED = "complained", "reported our mail as spam"
        REJECTED = "rejected", "the provider refuses to send to it"

    address = models.EmailField(max_length=512, primary_key=True)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    detail = models.TextField(blank=True, default="", help_text="The provider's own words.")
    mail = models.ForeignKey(Mail, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    suppressed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-suppressed_at"]
        permissions = [("lift_suppression", "Can let an address be mailed again")]
        indexes = [models.Index(fields=["-suppressed_at"], name="billing_mail_suppressed")]

    def __str__(self) -> str:
        return self.address

"""The ledger keeps every event of Stripe, the lanes that order events, and the writes we owe Stripe."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q

from billing.conf import conf


class StripeEventQuerySet(models.QuerySet["StripeEvent"]):
    def locked(self) -> "StripeEventQuerySet":
        """Lock the rows until the transaction ends, in the order of their ids, which prevents deadlocks."""
        return self.select_for_update().order_by("pk")

    def waiting(self) -> "StripeEventQuerySet":
        """Return events that are received, or failed with tries left."""
        return self.filter(status__in=StripeEvent.WAITING)

    def unredacted(self) -> "StripeEventQuerySet":
        """Return events whose payload is complete, neither pruned nor redacted."""
        return self.filter(payload__redacted__isnull=True).exclude(payload={})

    def dead(self) -> "StripeEventQuerySet":
        """Return events that failed for the last time and that nobody has marked as handled."""
        return self.filter(status=StripeEvent.Status.DEAD, handled_at=None)

    def done(self) -> "StripeEventQuerySet":
        """Return events that need nothing more."""
        is_handled = Q(status=StripeEvent.Status.DEAD, handled_at__isnull=False)
        return self.filter(Q(status__in=StripeEvent.DONE) | is_handled)


class StripeEvent(models.Model):
    """An event of Stripe is stored before its delivery is answered. `created` is Stripe's time, in UTC seconds."""

    class Status(models.TextChoices):
        RECEIVED = "received"
        PROCESSED = "processed"
        FAILED = "failed"
        DEAD = "dead"
        IGNORED = "ignored"

    class Source(models.TextChoices):
        WEBHOOK = "webhook"
        SYNC = "sync"
        REPLAY = "replay"

    WAITING = (Status.RECEIVED, Status.FAILED)
    DONE = (Status.PROCESSED, Status.IGNORED)

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=100)
    created = models.BigIntegerField(db_index=True, help_text="Stripe's time, UTC seconds")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    processed_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True, default="")
    failures: Any = models.JSONField(
        null=True, blank=True, help_text='The error of each attempt: [{"at": ISO time, "error": text}]'
    )
    handled_at = models.DateTimeField(null=True, blank=True, help_text="When staff marked this dead event as handled")
    received_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=64, blank=True, default="")
    object_id = models.CharField(max_length=255, blank=True, default="")
    lane = models.CharField(max_length=255)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.WEBHOOK)
    verified_by = models.CharField(
        max_length=8, blank=True, default="", help_text="Fingerprint of the webhook secret that verified it first"
    )
    deliveries = models.PositiveIntegerField(default=1)
    payload: Any = models.JSONField()

    objects = StripeEventQuerySet.as_manager()

    class Meta:
        db_table = conf.events_table
        permissions = [
            ("replay_stripeevent", "Can process an event again"),
            ("handle_stripeevent", "Can mark an event as handled"),
            ("export_stripeevent", "Can export events"),
            ("view_payload", "Can see an event's payload"),
        ]
        indexes = [
            models.Index(fields=["lane", "created"], name="stripe_events_by_lane"),
            # With what the dashboard reads, so that it reads no row.
            models.Index(fields=["received_at", "processed_at", "status"], name="stripe_events_newest"),
            models.Index(fields=["object_id"], name="stripe_events_by_object"),
            models.Index(fields=["type", "received_at"], name="stripe_events_by_type"),
            models.Index(fields=["livemode", "received_at"], name="stripe_events_by_mode"),
            models.Index(
                fields=["source", "received_at"],
                name="stripe_events_not_webhook",
                condition=Q(source__in=["sync", "replay"]),
            ),
            models.Index(
                fields=["status", "received_at"],
                name="stripe_events_unusual",
                condition=Q(status__in=["failed", "dead", "ignored"]),
            ),
            models.Index(
                fields=["lane", "next_attempt_at"],
                name="stripe_events_waiting",
                condition=Q(status__in=["received", "failed"]),
            ),
            models.Index(
                fields=["-next_attempt_at", "received_at"],
                name="stripe_events_due",
                condition=Q(status__in=["received", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def object(self) -> dict[str, Any]:
        """Return the object that the event brings."""
        found: dict[str, Any] = self.payload["data"]["object"]
        return found


class Lane(models.Model):
    """A lane is the unit of order: only the worker that holds its token changes the state of its customer.

    `arrived` counts wake-ups and `drained` those that were finished, so a lane has waiting work while they differ.
    """

    key = models.CharField(primary_key=True, max_length=255)
    arrived = models.BigIntegerField(default=0)
    drained = models.BigIntegerField(default=0)
    woken_at = models.DateTimeField()
    token = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["woken_at"], name="billing_lane_awake", condition=~Q(arrived=F("drained"))),
            models.Index(fields=["leased_until"], name="billing_lane_held", condition=Q(leased_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.key


class StripeWrite(models.Model):
    """An owed write is decided in a transaction and made after it. Id and try make the idempotency key."""

    class Action(models.TextChoices):
        CANCEL_SUBSCRIPTION = "cancel_subscription"
        CLOSE_INVOICE = "close_invoice"
        REFUND = "refund"
        UNDO_CHANGE = "undo_change"
        SET_SEATS = "set_seats"
        UPDATE_CUSTOMER = "update_customer"
        MOVE_TRIAL = "move_trial"
        USE_CARD = "use_card"
        FINALIZE_INVOICE = "finalize_invoice"
        RESTORE_TAX = "restore_tax"
        REMOVE_TAX_ID = "remove_tax_id"
        MOVE_PRICE = "move_price"
        SET_OVERAGE = "set_overage"

    # These are made as often as they are asked for, the others once for each cause.
    STANDING = (Action.SET_SEATS, Action.UPDATE_CUSTOMER, Action.MOVE_PRICE, Action.SET_OVERAGE)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lane = models.CharField(max_length=255)
    action = models.CharField(max_length=30, choices=Action.choices)
    object_id = models.CharField(max_length=255)
    reference = models.CharField(
        max_length=255, help_text="The dispute, charge, subscription or other cause of the write"
    )
    requested_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(
        null=True, blank=True, help_text="When Stripe refused it for good, and it was given up"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "Stripe request"
        constraints = [
            models.UniqueConstraint(
                fields=["action", "object_id", "reference"],
                condition=~Q(action__in=["set_seats", "update_customer", "move_price", "set_overage"]),
                name="billing_write_once_per_cause",
            )
        ]
        indexes = [
            models.Index(
                fields=["lane"],
                name="billing_write_owed",
                condition=Q(done_at__isnull=True, withdrawn_at__isnull=True),
            ),
            models.Index(fields=["refused_at"], name="billing_write_refused", condition=Q(refused_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id} for {self.reference}"

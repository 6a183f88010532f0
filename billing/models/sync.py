"""Each run of the sync leaves a row that says what it found and did."""

from typing import Any

from django.db import models
from django.db.models import Q


class SyncRun(models.Model):
    """A row records one run of `sync_stripe`. The next run asks for events from the newest watermark on."""

    class Mode(models.TextChoices):
        ROUTINE = "routine", "events and pending customers"
        FULL = "full", "everything"
        CUSTOMER = "customer", "one customer"

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    mode = models.CharField(max_length=10, choices=Mode.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    clock_at = models.DateTimeField(help_text="When the run began, by billing's clock")
    watermark = models.BigIntegerField(
        null=True, blank=True, help_text="The ledger has every event up to this time at Stripe, UTC seconds"
    )
    books_at = models.DateTimeField(
        null=True, blank=True, help_text="Stripe's balance transactions up to this time are here, by billing's clock"
    )
    events: Any = models.JSONField(default=dict, blank=True, help_text="Missed events by type")
    compared = models.PositiveIntegerField(default=0, help_text="Stripe's objects compared with our rows")
    drifted = models.PositiveIntegerField(default=0, help_text="Differences found")
    healed = models.PositiveIntegerField(default=0, help_text="Differences that were corrected")
    imported = models.PositiveIntegerField(default=0, help_text="Subscriptions that had no row here")
    troubled = models.PositiveIntegerField(default=0, help_text="Customers who could not be synced")
    drifts: Any = models.JSONField(default=list, blank=True, help_text="The first differences, one by one")
    calls = models.PositiveIntegerField(default=0, help_text="Calls to Stripe")
    notes: Any = models.JSONField(default=list, blank=True)
    progress: Any = models.JSONField(default=dict, blank=True, help_text="Where the next run continues")
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-started_at"], name="billing_sync_done", condition=Q(status="done")),
        ]

    def __str__(self) -> str:
        return f"{self.mode} sync of {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else 0.0

    @property
    def missed(self) -> int:
        return sum(self.events.values())

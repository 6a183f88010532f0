"""A price move takes everybody who pays one price to another one; each subscription of it has a row."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .catalogue import Price
from .subscription import Subscription


class PriceMoveQuerySet(models.QuerySet["PriceMove"]):
    def running(self) -> "PriceMoveQuerySet":
        """Return the moves that were neither stopped nor finished."""
        return self.filter(stopped_at=None, done_at=None)


class PriceMove(models.Model):
    """A move tells everybody on the old price in time, and has Stripe charge the new one from a renewal on.

    It is running until nobody is left, or until somebody stops it. Times are by billing's clock.
    """

    old_price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    new_price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    notice_days = models.PositiveSmallIntegerField(help_text="Days between the mail and the first higher charge")
    at_renewal = models.BooleanField(
        default=False,
        help_text="Whether Stripe is told a day before the renewal, and not as soon as the notice is over",
    )
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=255, blank=True, default="")
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Since when the old price is not sold any more")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=255, blank=True, default="")
    done_at = models.DateTimeField(null=True, blank=True, help_text="When nobody was left to move")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Tries to take the old price from sale")

    objects = PriceMoveQuerySet.as_manager()

    class Meta:
        permissions = [
            ("start_pricemove", "Can start a price move"),
            ("stop_pricemove", "Can stop a price move"),
            ("decide_pricemove", "Can decide about a subscription of a price move"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["old_price"],
                condition=Q(stopped_at=None, done_at=None),
                name="billing_one_move_from_a_price",
            )
        ]

    def __str__(self) -> str:
        return f"{self.old_price_id} to {self.new_price_id}"

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None and self.done_at is None


class PriceMoveRowQuerySet(models.QuerySet["PriceMoveRow"]):
    def open(self) -> "PriceMoveRowQuerySet":
        """Return the rows whose outcome is not known yet."""
        return self.filter(status__in=PriceMoveRow.OPEN)

    def of_a_person(self) -> "PriceMoveRowQuerySet":
        """Return the rows of running moves that go on only after somebody has decided."""
        return self.filter(status__in=PriceMoveRow.FOR_STAFF, move__stopped_at=None, move__done_at=None)


class PriceMoveRow(models.Model):
    """A row says how far one subscription of a price move is. Amounts are minor units, before discounts and tax."""

    class Status(models.TextChoices):
        LISTED = "listed", "to be told"
        TOLD = "told"
        OWED = "owed", "told, Stripe is being asked"
        MOVED = "moved"
        OBJECTED = "objected", "told, and cancelled"
        LEFT = "left", "ended before it was told"
        CHANGED = "changed", "pays another price"
        UNTOLD = "untold", "could not be told"
        REFUSED = "refused", "Stripe refuses"
        KEPT = "kept", "keeps the old price"
        STOPPED = "stopped", "keeps the old price: the move was stopped"

    OPEN = (Status.LISTED, Status.TOLD, Status.OWED, Status.UNTOLD, Status.REFUSED)
    FOR_STAFF = (Status.UNTOLD, Status.REFUSED)
    # Who has left may come back: a cancellation or a change is taken back.
    MAY_RETURN: ClassVar[tuple[Status, ...]] = (Status.OBJECTED, Status.LEFT, Status.CHANGED)

    move = models.ForeignKey(PriceMove, on_delete=models.CASCADE, related_name="rows")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="price_moves")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LISTED)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When the worker looks at it next")
    quantity = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3, blank=True)
    old_amount = models.BigIntegerField(null=True, blank=True, help_text="Minor units, before discounts and tax")
    new_amount = models.BigIntegerField(null=True, blank=True, help_text="Minor units, before discounts and tax")
    told_at = models.DateTimeField(null=True, blank=True)
    is_confirmed = models.BooleanField(default=False, help_text="Whether the mail is known to have gone out")
    tellings = models.PositiveSmallIntegerField(default=0, help_text="How often it was told; each time has its mail")
    moves_at = models.DateTimeField(null=True, blank=True, help_text="The renewal that charges the new price first")
    moved_at = models.DateTimeField(null=True, blank=True, help_text="When the new price was seen at Stripe")
    reason = models.TextField(blank=True, default="", help_text="What it waits for, or why it is as it is")
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = PriceMoveRowQuerySet.as_manager()

    class Meta:
        verbose_name = "subscription of a price move"
        verbose_name_plural = "subscriptions of price moves"
        constraints = [models.UniqueConstraint(fields=["move", "subscription"], name="billing_moved_once")]
        indexes = [
            models.Index(fields=["move", "status", "due_at"], name="billing_moves_due"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription.stripe_id}: {self.get_status_display()}"

    @property
    def is_same_amount(self) -> bool:
        """Return whether the new price comes to the same for this subscription, so that there is nothing to tell."""
        return self.old_amount == self.new_amount

"""Usage of each feature is counted by month; credits are uses that are spent once; a key counts once."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from billing.conf import conf

from .subscriber import SubscriberKey


class Usage(models.Model):
    """A row counts for one subscriber, feature and month what was used of the limit; a new month starts a new row."""

    subscriber: Any = SubscriberKey(conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_usage")
    feature = models.SlugField()
    period_start = models.DateTimeField()
    used = models.PositiveBigIntegerField(default=0)
    overage = models.PositiveBigIntegerField(default=0, help_text="Uses beyond the limit, which are paid by use")
    reported = models.PositiveBigIntegerField(default=0, help_text="What of it is in usage reports")
    has_overage = models.BooleanField(default=False, help_text="Whether anything was ever used beyond the limit")
    overage_at = models.DateTimeField(null=True, blank=True, help_text="When the last of it was used")
    overage_price = models.CharField(max_length=255, blank=True, default="", help_text="What prices it from now on")
    overage_subscription = models.CharField(max_length=255, blank=True, default="", help_text="What bills it")
    has_announced_cap = models.BooleanField(default=False, help_text="Whether spend_cap_reached was sent")
    has_announced_overflow = models.BooleanField(
        default=False, help_text="Use exceeds the limit, and quota_overflowed was sent"
    )
    has_carried_over = models.BooleanField(default=False, help_text="What the month before had left became credits")
    kept_limit = models.PositiveBigIntegerField(null=True, blank=True, help_text="The limit as it was decided last")
    kept_resets_at = models.DateTimeField(null=True, blank=True)
    kept_from = models.DateTimeField(null=True, blank=True)
    kept_until = models.DateTimeField(null=True, blank=True, help_text="What was decided holds until then at most")
    kept_credits = models.BooleanField(default=False, help_text="Credits could be spent beside the limit")
    kept_billing = models.CharField(  # noqa: DJ001 (None says that it is to be decided anew)
        max_length=255, null=True, blank=True, help_text="The subscription that bills use beyond the limit; empty: none"
    )
    kept_changes = models.BigIntegerField(default=0, help_text="The changes of access that it has seen: how many")
    kept_sum = models.BigIntegerField(default=0, help_text="And the sum of their ids")

    class Meta:
        verbose_name = "usage record"
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "feature", "period_start"], name="billing_usage_once_per_period"
            )
        ]
        # No column that a use changes is in an index, so that PostgreSQL rewrites none for it.
        indexes = [
            models.Index(fields=["period_start"], name="billing_usage_overage", condition=Q(has_overage=True)),
        ]

    def __str__(self) -> str:
        return f"{self.feature}: {self.used}"


class CreditQuerySet(models.QuerySet["Credit"]):
    def spendable(self, subscriber: Any, at: Any) -> "CreditQuerySet":
        """Return what a subscriber may spend then, soonest to expire first."""
        open_then = Q(until=None) | Q(until__gt=at)
        return self.filter(open_then, subscriber=subscriber, left__gt=0).order_by(F("until").asc(nulls_last=True), "pk")


class Credit(models.Model):
    """A row holds credits of a feature that a subscriber was given once, until a moment or for good.

    What was given is always what is left, was used, has expired and was taken back, which the database itself holds.
    `source` names what gave it, such as `pack:…`; the same source gives nothing twice. Rows are kept.
    """

    subscriber: Any = models.ForeignKey(conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_credits")
    feature = models.SlugField()
    source = models.CharField(max_length=255, help_text="What gave it; the same source gives nothing twice")
    quantity = models.PositiveBigIntegerField(help_text="What was given: left, used, expired and taken back")
    left = models.PositiveBigIntegerField()
    used = models.PositiveBigIntegerField(default=0)
    expired = models.PositiveBigIntegerField(default=0)
    taken_back = models.PositiveBigIntegerField(default=0)
    owed_back = models.PositiveBigIntegerField(
        default=0, help_text="To be taken back too, but used already: what is released goes here first"
    )
    until = models.DateTimeField(null=True, blank=True, help_text="What is left expires then; empty: never")
    reason = models.TextField(blank=True, default="")
    cause = models.CharField(max_length=255, blank=True, default="", help_text="Who or what gave it")
    given_at = models.DateTimeField()
    has_announced_low = models.BooleanField(default=False, help_text="credits_low was sent since it was given")
    announced_expiry = models.DateTimeField(null=True, blank=True, help_text="The end for which its mail was sent")

    objects = CreditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "credits"
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "source"], name="billing_credit_once_per_source"),
            models.CheckConstraint(
                condition=Q(quantity=F("left") + F("used") + F("expired") + F("taken_back")),
                name="billing_credit_adds_up",
            ),
            models.CheckConstraint(condition=Q(owed_back__lte=F("used")), name="billing_credit_owes_what_was_used"),
        ]
        indexes = [
            models.Index(fields=["subscriber", "feature"], name="billing_credit_left", condition=Q(left__gt=0)),
            models.Index(fields=["until"], name="billing_credit_expires", condition=Q(left__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.what} {f'until {self.until:%Y-%m-%d %H:%M}' if self.until else 'for good'}"

    @property
    def what(self) -> str:
        """Return what was given, in words: "500 credits of generations"."""
        name = self.feature.replace("_", " ").replace("-", " ")
        count = number_format(self.quantity, force_grouping=True)
        return _("{count} credits of {feature}").format(count=count, feature=name)


class KeyedUse(models.Model):
    """A row remembers what one key counted and where it was taken from, so that it counts once and can be given back.

    `spent` lists what was taken from credits, as pairs of the credit's id and a quantity; the rest, `counted`, is in
    the month's counter. `answer` is what the caller was told. `lapses_at` is the end of a reservation.
    """

    class State(models.TextChoices):
        COUNTED = "counted"
        RESERVED = "reserved"
        RELEASED = "released"
        LAPSED = "lapsed", "lapsed, since it was not settled in time"

    subscriber: Any = models.ForeignKey(conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_uses")
    feature = models.SlugField()
    key = models.CharField(max_length=255)
    state = models.CharField(max_length=20, choices=State)
    asked = models.PositiveBigIntegerField(help_text="The quantity that the caller asked for")
    counted = models.PositiveBigIntegerField(default=0, help_text="What of it the month's counter holds")
    overage = models.PositiveBigIntegerField(default=0, help_text="What of it is beyond the limit, and paid by use")
    period_start = models.DateTimeField()
    spent = models.JSONField(default=list)
    answer = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    lapses_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "use with a key"
        verbose_name_plural = "uses with a key"
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "feature", "key"], name="billing_use_once_per_key"),
        ]
        indexes = [
            models.Index(fields=["lapses_at"], name="billing_use_lapses", condition=Q(lapses_at__isnull=False)),
            models.Index(fields=["made_at"], name="billing_use_made_at"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.asked} {self.feature}"

    @property
    def quantity(self) -> int:
        """Return how much it still counts."""
        return self.counted + sum(quantity for _, quantity in self.spent) + self.overage

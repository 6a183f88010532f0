"""Plans, their limits, and the Stripe prices that buy them are kept here."""

from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models

from billing.cadence import Cadence

MAIN_LINE = "main"
LONGEST_TRIAL = 730  # days: Stripe takes two years
TRIAL_TOO_LONG = "A trial lasts two years (730 days) at most."


class Plan(models.Model):
    """A plan gives access. `rank` orders plans: a change to a lower rank is a downgrade.

    A line is a family of plans that exclude each other: a subscriber has at most one plan of each line.
    """

    class WithoutCard(models.TextChoices):
        NO = "no", "no, a card is asked for"
        CANCEL = "cancel", "yes; without a card the subscription ends with the trial"
        PAUSE = "pause", "yes; without a card the subscription is paused when the trial ends"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    line = models.SlugField(
        default=MAIN_LINE, help_text="Plans of one line exclude each other; a subscriber may have several lines"
    )
    rank = models.PositiveSmallIntegerField(default=0)
    grace_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days of access while a payment is overdue; empty: BILLING_GRACE_DAYS"
    )
    trial_days = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(LONGEST_TRIAL, TRIAL_TOO_LONG)]
    )
    trial_without_card = models.CharField(
        max_length=6,
        choices=WithoutCard.choices,
        blank=True,
        default="",
        help_text="Whether a trial begins without a card; empty: BILLING_TRIAL_WITHOUT_CARD",
    )
    min_seats = models.PositiveSmallIntegerField(
        default=1, help_text="Seats that are billed at least, where BILLING_SEATS counts them"
    )
    is_public = models.BooleanField(default=True)

    class Meta:
        ordering = ["rank", "slug"]

    def __str__(self) -> str:
        return self.name

    def limit(self, feature: str) -> int | None:
        """Return how much of `feature` a month includes; None for no limit, 0 if the plan does not name it."""
        for row in self.limits.all():
            if row.feature == feature:
                return row.quantity
        return 0


class PlanLimit(models.Model):
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="limits")
    feature = models.SlugField()
    quantity = models.PositiveBigIntegerField(null=True, blank=True, help_text="Per month; empty: no limit")
    overage: Any = models.JSONField(
        default=dict, blank=True, editable=False, help_text='Minor units for a use beyond it: {"usd": "2.5"}'
    )
    rollover = models.PositiveBigIntegerField(
        default=0, help_text="What is left of a month becomes credits, up to so many; 0: it is lost"
    )

    class Meta:
        ordering = ["feature"]
        constraints = [models.UniqueConstraint(fields=["plan", "feature"], name="billing_limit_once_per_plan")]

    def __str__(self) -> str:
        return f"{self.feature}: {'no limit' if self.quantity is None else self.quantity}"


class Price(models.Model):
    """A price at Stripe belongs to one of our plans. Amounts are minor units, as Stripe counts them."""

    class Interval(models.TextChoices):
        DAY = "day"
        WEEK = "week"
        MONTH = "month"
        YEAR = "year"

    id = models.CharField(primary_key=True, max_length=255)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    lookup_key = models.CharField(max_length=200, blank=True, db_index=True)
    product = models.CharField(max_length=255, blank=True, db_index=True, help_text="The product at Stripe")
    product_name = models.CharField(max_length=250, blank=True, help_text="The product's name at Stripe")
    currency = models.CharField(max_length=3)
    unit_amount = models.BigIntegerField(
        null=True, help_text="Minor units; empty for tiers, and for an amount with a fraction of a minor unit"
    )
    currency_options: Any = models.JSONField(
        default=dict, blank=True, help_text='Amounts in other currencies, minor units: {"eur": 1900}'
    )
    terms: Any = models.JSONField(
        default=dict, blank=True, help_text="How the price is reckoned, unless it is the amount × quantity"
    )
    tax_behavior = models.CharField(max_length=20, blank=True)
    interval = models.CharField(max_length=5, choices=Interval.choices)
    interval_count = models.PositiveSmallIntegerField(default=1)
    is_active = models.BooleanField(default=True, help_text="Whether Stripe sells it: price and product are active")
    created_at = models.DateTimeField(null=True, blank=True, help_text="When the price was made at Stripe")

    class Meta:
        ordering = ["plan__rank", "unit_amount"]

    def __str__(self) -> str:
        return self.lookup_key or self.id

    def is_free_in(self, currency: str) -> bool:
        """Return whether the price costs nothing in a currency. A price by tiers has no amount, and is not free."""
        amount = self.unit_amount if currency == self.currency else self.currency_options.get(currency)
        return amount == 0

    @property
    def cadence(self) -> Cadence:
        return Cadence(self.interval, self.interval_count)

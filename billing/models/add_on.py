"""An add-on is sold on top of a plan, as a further item of its subscription; its prices are kept beside it."""

from typing import Any

from django.db import models

from billing.cadence import Cadence

from .catalogue import Price


class AddOn(models.Model):
    """An add-on gives more of features, for each one that is bought, on the plans that it is sold with.

    `limits`: feature → how many more a month, null for any number. `plans` are slugs; empty: every plan.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    limits: Any = models.JSONField(default=dict, blank=True, help_text='More a month, for each: {"exports": 100}')
    plans: Any = models.JSONField(default=list, blank=True, help_text="Slugs of the plans it is sold with; empty: all")
    most = models.PositiveIntegerField(null=True, blank=True, help_text="How many one may have; empty: any number")
    is_public = models.BooleanField(default=True)
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "add-on"
        ordering = ["place", "slug"]

    def __str__(self) -> str:
        return self.name

    def is_sold_with(self, plan_slug: str) -> bool:
        return not self.plans or plan_slug in self.plans


class AddOnPrice(models.Model):
    """A price at Stripe belongs to an add-on. `amounts` are minor units by currency, the main one too."""

    id = models.CharField(primary_key=True, max_length=255)
    add_on = models.ForeignKey(AddOn, on_delete=models.PROTECT, related_name="prices")
    lookup_key = models.CharField(max_length=200, blank=True, db_index=True)
    product = models.CharField(max_length=255, blank=True, help_text="The product at Stripe")
    currency = models.CharField(max_length=3)
    amounts: Any = models.JSONField(default=dict, blank=True, help_text='Minor units by currency: {"usd": 500}')
    interval = models.CharField(max_length=5, choices=Price.Interval.choices)
    interval_count = models.PositiveSmallIntegerField(default=1)
    is_active = models.BooleanField(default=True, help_text="Whether Stripe sells it")

    class Meta:
        verbose_name = "add-on price"
        ordering = ["add_on__place", "interval_count", "id"]

    def __str__(self) -> str:
        return self.lookup_key or self.id

    @property
    def cadence(self) -> Cadence:
        return Cadence(self.interval, self.interval_count)

"""A grant gives a subscriber a plan or a feature without a subscription, whether or not Stripe has a customer."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from billing.conf import conf

from .catalogue import Plan
from .subscriber import SubscriberKey

BY_STAFF = "staff:"


class GrantQuerySet(models.QuerySet["Grant"]):
    def open(self) -> "GrantQuerySet":
        """Return grants that are not ended. One that has run out stays open until the worker ends it."""
        return self.filter(ended_at=None)


class Grant(models.Model):
    """A grant gives either a plan or a feature, from `granted_at` until a moment or for good.

    A feature without a quantity has no limit; a quantity adds to the limit of each month. `source` names what gave it,
    such as `appsumo:XYZ`: the same source gives nothing twice, also after its grant has ended. Rows are kept.
    """

    subscriber: Any = SubscriberKey(conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_grants")
    source = models.CharField(max_length=255, help_text="What gave it; the same source gives nothing twice")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    feature = models.SlugField(blank=True, default="")
    quantity = models.PositiveIntegerField(
        null=True, blank=True, help_text="Adds to the monthly limit of the feature; empty: no limit"
    )
    until = models.DateTimeField(null=True, blank=True, help_text="The grant ends then; empty: it is for good")
    reason = models.TextField(blank=True, default="")
    cause = models.CharField(max_length=255, blank=True, default="", help_text="Who or what gave it")
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=255, blank=True, default="", help_text="Who or what ended it")

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "source"], name="billing_grant_once_per_source"),
            models.CheckConstraint(
                condition=(Q(plan__isnull=False, feature="", quantity=None) | (Q(plan=None) & ~Q(feature=""))),
                name="billing_grant_plan_or_feature",
            ),
        ]
        indexes = [
            models.Index(fields=["until"], name="billing_grant_runs_out", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["subscriber"], name="billing_grant_open", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.what} {f'until {self.until:%Y-%m-%d %H:%M}' if self.until else 'for good'}"

    @property
    def is_by_staff(self) -> bool:
        return self.source.startswith(BY_STAFF)

    @property
    def what(self) -> str:
        """Return what it gives in words: "Pro", "exports", "500 generations a month"."""
        if self.plan_id:
            return str(self.plan)
        name = self.feature.replace("_", " ").replace("-", " ")
        if self.quantity is None:
            return name
        count = number_format(self.quantity, force_grouping=True)
        return _("{count} {feature} a month").format(count=count, feature=name)

    def is_in_force(self, at: datetime) -> bool:
        ends = [end for end in (self.until, self.ended_at) if end is not None]
        return self.granted_at <= at and all(at < end for end in ends)

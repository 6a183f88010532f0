"""A subscriber may have a limit of their own, in place of what plans and grants give."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from billing.conf import conf

from .subscriber import SubscriberKey


class LimitOverride(models.Model):
    """A row sets the month's limit of a feature for one subscriber, from `set_at` until a moment or until it is lifted.

    One row of a feature is open at a time. Rows are kept; a quantity of 0 stops use, an empty one has no limit.
    """

    subscriber: Any = SubscriberKey(
        conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_limit_overrides"
    )
    feature = models.SlugField()
    quantity = models.PositiveBigIntegerField(null=True, blank=True, help_text="Per month; empty: no limit")
    until = models.DateTimeField(null=True, blank=True, help_text="It ends then; empty: when it is lifted")
    reason = models.TextField(blank=True, default="")
    cause = models.CharField(max_length=255, blank=True, default="", help_text="Who or what set it")
    set_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=255, blank=True, default="", help_text="Who or what lifted it")

    class Meta:
        verbose_name = "limit of a subscriber"
        verbose_name_plural = "limits of subscribers"
        permissions = [("override_limit", "Can set and lift a subscriber's own limit")]
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "feature"], condition=Q(ended_at=None), name="billing_one_override_per_feature"
            )
        ]

    def __str__(self) -> str:
        return f"{self.what} {f'until {self.until:%Y-%m-%d %H:%M}' if self.until else 'until it is lifted'}"

    @property
    def what(self) -> str:
        """Return what it sets in words: "500 generations a month", "generations without a limit"."""
        name = self.feature.replace("_", " ").replace("-", " ")
        return f"{name} without a limit" if self.quantity is None else f"{self.quantity:,} {name} a month"

    def is_in_force(self, at: datetime) -> bool:
        ends = [end for end in (self.until, self.ended_at) if end is not None]
        return self.set_at <= at and all(at < end for end in ends)

"""Usage of each feature is counted by period, and a counter never goes down."""

from typing import Any

from django.db import models

from billing.conf import conf

from .subscriber import SubscriberKey


class Usage(models.Model):
    """A row counts for one subscriber, feature and period; a new period starts a new row."""

    subscriber: Any = SubscriberKey(conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_usage")
    feature = models.SlugField()
    period_start = models.DateTimeField()
    used = models.PositiveBigIntegerField(default=0)
    has_announced_overflow = models.BooleanField(
        default=False, help_text="Use exceeds the limit, and quota_overflowed was sent"
    )

    class Meta:
        verbose_name = "usage record"
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "feature", "period_start"], name="billing_usage_once_per_period"
            )
        ]

    def __str__(self) -> str:
        return f"{self.feature}: {self.used}"

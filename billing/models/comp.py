"""A comp is access that staff give without payment."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from .catalogue import Plan
from .subscription import Customer


class CompQuerySet(models.QuerySet["Comp"]):
    def open(self) -> "CompQuerySet":
        """Return comps that are not ended. One that has run out stays open until the worker ends it."""
        return self.filter(ended_at=None)


class Comp(models.Model):
    """A comp gives access to a plan until a moment. Rows are kept for good; a customer has at most one open comp."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="comps")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(help_text="Access by this comp ends then")
    reason = models.TextField(blank=True)
    cause = models.CharField(max_length=255, blank=True, default="", help_text="Who gave access")
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=255, blank=True, default="", help_text="Who or what ended it")

    objects = CompQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(ended_at=None), name="billing_one_open_comp")
        ]
        indexes = [models.Index(fields=["until"], name="billing_comp_runs_out", condition=Q(ended_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.plan} until {self.until:%Y-%m-%d %H:%M}"

    def is_in_force(self, at: datetime) -> bool:
        return self.granted_at <= at < min(self.until, self.ended_at or self.until)

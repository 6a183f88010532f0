"""Calls to Stripe are counted here for all processes together."""

from django.db import models


class StripeCalls(models.Model):
    """A row counts the calls to Stripe that had this outcome within so many seconds, by all processes."""

    outcome = models.CharField(max_length=10)
    at_most = models.CharField(max_length=8, help_text="Seconds, the upper bound of a histogram's bucket")
    calls = models.BigIntegerField()
    seconds = models.FloatField(help_text="The sum of their durations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outcome", "at_most"], name="billing_stripe_calls_once")]

    def __str__(self) -> str:
        return f"{self.calls} {self.outcome} within {self.at_most} s"

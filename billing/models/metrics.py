from django.db import models


class StripeCalls(models.Model):
    """How many calls to Stripe had this outcome within so many seconds, all processes together, since the first."""

    outcome = models.CharField(max_length=10)
    at_most = models.CharField(max_length=8, help_text="Seconds, the upper bound of a histogram's bucket")
    calls = models.BigIntegerField()
    seconds = models.FloatField(help_text="What they took in sum")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outcome", "at_most"], name="billing_stripe_calls_once")]

    def __str__(self) -> str:
        return f"{self.calls} {self.outcome} within {self.at_most} s"

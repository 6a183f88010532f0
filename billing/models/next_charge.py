"""A row keeps the next charge of a subscription until something changes it."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from .catalogue import Price
from .subscription import Subscription


class NextChargeQuerySet(models.QuerySet["NextCharge"]):
    def ask_soon(self, at: datetime) -> int:
        """Have Stripe asked again then where a charge is known; it is told until the answer is there.

        What is marked for an earlier moment stays so, and an answer that is under way does not count.
        """
        known = self.filter(Q(amount__isnull=False) | Q(ask_at__isnull=False))
        return known.update(ask_at=Coalesce("ask_at", Value(at)), version=F("version") + 1)


class NextCharge(models.Model):
    """A row keeps the next charge of a subscription, after discounts, balance and tax.

    Without `amount` nothing will be charged, or, while `ask_at` is set, Stripe is still to be asked.
    """

    subscription = models.OneToOneField(Subscription, on_delete=models.CASCADE, related_name="next_charge")
    amount = models.BigIntegerField(null=True, help_text="Minor units")
    currency = models.CharField(max_length=3, blank=True)
    at = models.DateTimeField(null=True)
    basis = models.CharField(max_length=64, blank=True, help_text="Hash of what the amount depends on")
    version = models.PositiveIntegerField(default=0, help_text="Counts the changes")
    extras_until = models.DateTimeField(null=True, help_text="Until then invoice items wait, whose sum Stripe knows")
    ask_at = models.DateTimeField(null=True, help_text="When Stripe is to be asked")
    replaced_price = models.CharField(
        max_length=255, blank=True, default="", help_text="The price that another replaces by itself at `replaced_at`"
    )
    coming_price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    replaced_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = NextChargeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["ask_at"], name="billing_next_charge_to_ask", condition=~Q(ask_at=None))]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.amount} {self.currency}"

    @property
    def is_of_last_invoice(self) -> bool:
        """Return whether it is reckoned here for the last invoice of a subscription that ends, and is no row."""
        return self._state.adding

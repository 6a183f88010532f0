"""These rows keep the discounts of subscriptions, and the offers that kept subscribers who were about to cancel."""

from typing import Any

from django.db import models

from .subscription import Customer, Subscription
from .texts import StripeText


class Discount(models.Model):
    """A discount takes something off the invoices of a subscription, of one of its items, or of all its customer's.

    A row is gone once Stripe has ended the discount. `saves` is what it takes off the next renewal.
    """

    class Duration(models.TextChoices):
        ONCE = "once", "the next invoice"
        REPEATING = "repeating", "some months"
        FOREVER = "forever", "as long as it lasts"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="discounts")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="discounts")
    stripe_id = models.CharField(max_length=255)
    coupon = StripeText(max_length=255, blank=True, help_text="The id of its coupon at Stripe")
    name = StripeText(max_length=200, blank=True, help_text="The coupon's name, as invoices show it")
    code = StripeText(max_length=200, blank=True, help_text="The promotion code that the buyer entered, if any")
    percent_off = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    amounts: Any = models.JSONField(default=dict, blank=True, help_text="Minor units off, by currency")
    products: Any = models.JSONField(default=list, blank=True, help_text="Products that it is for; empty: all")
    duration = StripeText(max_length=20, blank=True)
    item = models.CharField(max_length=255, blank=True, help_text="The item that alone is discounted; empty: all")
    is_of_customer = models.BooleanField(default=False, help_text="Whether it is on everything the customer buys")
    saves = models.BigIntegerField(null=True, blank=True, help_text="Minor units; empty where usage decides it")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["subscription", "stripe_id"], name="billing_discount_once")]

    def __str__(self) -> str:
        return self.stripe_id


class CancelOffer(models.Model):
    """An offer was taken up by a subscriber who was about to cancel; each subscription takes one."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="cancel_offers")
    subscription_id = models.CharField(max_length=255, unique=True)
    percent_off = models.DecimalField(max_digits=7, decimal_places=4)
    months = models.PositiveSmallIntegerField()
    taken_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True, help_text="When Stripe confirmed the discount")

    class Meta:
        indexes = [models.Index(fields=["taken_at"], name="billing_offer_taken")]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.percent_off:g}% for {self.months} months"

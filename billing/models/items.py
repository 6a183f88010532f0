"""These rows keep the items of a subscription, which are what Stripe bills."""

from django.db import models

from .add_on import AddOnPrice
from .catalogue import Price
from .subscription import Subscription


class SubscriptionItem(models.Model):
    """An item bills one price within a subscription. `price` is empty if the price belongs to no plan of ours,
    `add_on_price` if it belongs to no add-on."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="items")
    stripe_id = models.CharField(max_length=255, unique=True)
    stripe_price = models.CharField(max_length=255, db_index=True, help_text="The id of its price at Stripe")
    price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    add_on_price = models.ForeignKey(AddOnPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="items")
    product = models.CharField(max_length=255, blank=True, help_text="The id of its product at Stripe")
    quantity = models.PositiveIntegerField(null=True, blank=True, help_text="Empty for metered prices")
    unit_amount = models.BigIntegerField(null=True, blank=True, help_text="Minor units; empty for prices by tiers")
    currency = models.CharField(max_length=3, blank=True)
    interval = models.CharField(max_length=5, blank=True)
    interval_count = models.PositiveSmallIntegerField(default=1)
    is_metered = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.stripe_id

"""A row remembers which Stripe account a key of ours belongs to, so that Stripe is asked once per key."""

from django.db import models


class StripeKey(models.Model):
    """A key is known by its fingerprint. `account` is empty if the key may not read its account."""

    fingerprint = models.CharField(primary_key=True, max_length=16)
    account = models.CharField(max_length=255, blank=True, default="")
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.account or self.fingerprint

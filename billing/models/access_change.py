"""A row is added for each change of what access is decided by, so that what was decided before can be told old."""

from django.db import models
from django.db.models.functions import Now


class AccessChange(models.Model):
    """Triggers of the database add rows (`billing.setup.watching`); nobody updates them, so nobody waits for another.

    `key` names the subscriber, or `catalogue` for a change of plans, limits and prices. Rows are deleted after an hour.
    """

    CATALOGUE = "catalogue"
    SUBSCRIBER = "subscriber:"

    key = models.CharField(max_length=255)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["key", "id"], name="billing_access_change"),
            models.Index(fields=["at"], name="billing_access_changed_at"),
        ]

    def __str__(self) -> str:
        return self.key

"""Each tax id of our customers is a row: whether the tax office knows it is found out later, and told to staff."""

from django.db import models
from django.db.models import Q

from .subscription import Customer
from .texts import StripeText


class TaxIdQuerySet(models.QuerySet["TaxId"]):
    def doubtful(self) -> "TaxIdQuerySet":
        """Return the tax ids that the registry does not know, and that staff have not accepted."""
        return self.filter(status=TaxId.Status.UNVERIFIED, accepted_at=None, customer__deleted_at=None)


class TaxId(models.Model):
    """A row is a tax id as Stripe last described it; only `billing.subscriptions.tax_ids` writes it."""

    class Status(models.TextChoices):
        PENDING = "pending", "being verified"
        VERIFIED = "verified"
        UNVERIFIED = "unverified"
        UNAVAILABLE = "unavailable", "cannot be verified"

    id = models.CharField(primary_key=True, max_length=255)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tax_ids")
    type = StripeText(max_length=40)
    value = StripeText(max_length=100)
    country = StripeText(max_length=2, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices)
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When staff accepted it unverified")

    objects = TaxIdQuerySet.as_manager()

    class Meta:
        verbose_name = "tax ID"
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(
                fields=["customer"],
                name="billing_tax_id_doubtful",
                condition=Q(status="unverified", accepted_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.value}"

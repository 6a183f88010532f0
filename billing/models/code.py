"""A code gives a plan, a feature or credits to who redeems it."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from billing.conf import conf

from .catalogue import Plan


class Code(models.Model):
    """A code may be redeemed by so many subscribers, once by each, until a moment and while it is not withdrawn.

    It gives what a grant gives, a plan or a feature, for `lasts_days` from then or for good; or credits, if `once`.
    `code` is kept without spaces and dashes, in capitals. `batch` names those that were made together.
    """

    code = models.CharField(max_length=64, unique=True)
    batch = models.CharField(max_length=100, help_text="What it was made for, such as a partner's name")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    feature = models.SlugField(blank=True, default="")
    quantity = models.PositiveIntegerField(null=True, blank=True)
    once = models.BooleanField(default=False, help_text="The quantity is given as credits, to be spent once")
    lasts_days = models.PositiveIntegerField(null=True, blank=True, help_text="Days from redeeming; empty: for good")
    most_uses = models.PositiveIntegerField(null=True, blank=True, default=1, help_text="Empty: any number")
    used = models.PositiveIntegerField(default=0)
    valid_until = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=255, blank=True, default="", help_text="Who made it")
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = "redeem code"
        permissions = [("make_code", "Can make redeem codes, withdraw and export them")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(plan__isnull=False, feature="", quantity=None) | (Q(plan=None) & ~Q(feature=""))),
                name="billing_code_plan_or_feature",
            ),
            models.CheckConstraint(condition=Q(once=False) | Q(quantity__gte=1), name="billing_code_credits_counted"),
            models.CheckConstraint(
                condition=Q(most_uses=None) | Q(used__lte=F("most_uses")), name="billing_code_not_used_too_often"
            ),
        ]
        indexes = [models.Index(fields=["batch", "id"], name="billing_code_batch")]

    def __str__(self) -> str:
        return self.code

    @property
    def what(self) -> str:
        """Return what it gives in words: "Pro", "exports", "500 generations a month", "500 credits of generations"."""
        if self.plan_id:
            return str(self.plan)
        name = self.feature.replace("_", " ").replace("-", " ")
        if self.quantity is None:
            return name
        words = _("{count} credits of {feature}") if self.once else _("{count} {feature} a month")
        return words.format(count=number_format(self.quantity, force_grouping=True), feature=name)


class Redemption(models.Model):
    """A subscriber redeemed a code; a second time it changes nothing."""

    code = models.ForeignKey(Code, on_delete=models.PROTECT, related_name="redemptions")
    subscriber: Any = models.ForeignKey(
        conf.subscriber_model, on_delete=models.CASCADE, related_name="billing_redemptions"
    )
    until = models.DateTimeField(null=True, blank=True)
    redeemed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "subscriber"], name="billing_code_once_per_subscriber")]

    def __str__(self) -> str:
        return f"{self.code} on {self.redeemed_at:%Y-%m-%d}"

"""A row remembers a trial for good, so that nobody has two in a line."""

from django.db import models
from django.db.models import Q

from .catalogue import MAIN_LINE, Plan
from .subscription import Customer


class Trial(models.Model):
    """A trial is remembered with what tells its person again, also after their account is gone.

    Address and card are kept as digests, and only if BILLING_TRIAL_ONCE_PER names them.
    """

    subscription_id = models.CharField(max_length=255, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="trials")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    line = models.SlugField(default=MAIN_LINE, help_text="The line of the plan; in each one a person has one trial")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="When it ends or has ended, as Stripe said last")
    email_digest = models.CharField(max_length=64, blank=True, help_text="Digest of the normalised e-mail address")
    card_digest = models.CharField(max_length=64, blank=True, help_text="Digest of the card's fingerprint at Stripe")
    same_person_as = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The earlier trial of another subscriber with the same card or address",
    )
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When that was settled: the trial was ended, or staff let it run"
    )

    class Meta:
        indexes = [
            models.Index(fields=["email_digest"], name="billing_trial_by_email", condition=~Q(email_digest="")),
            models.Index(fields=["card_digest"], name="billing_trial_by_card", condition=~Q(card_digest="")),
            models.Index(
                fields=["same_person_as"],
                name="billing_trial_unsettled",
                condition=Q(same_person_as__isnull=False, settled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} until {self.ends_at:%Y-%m-%d}"

    @property
    def has_same_card(self) -> bool:
        """Return whether it is the card that had a trial before, and not the address alone."""
        earlier = self.same_person_as
        return earlier is not None and bool(self.card_digest) and earlier.card_digest == self.card_digest

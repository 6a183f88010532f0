"""A subscription whose price no plan knows keeps the MRR from before, which Stripe charges no longer: sums of now leave
it out and say so, and the ledger of movements counts it as before.
"""

from django.db.models import Q

from billing.models import Subscription

HAS_UNKNOWN_PRICE = Q(whose=Subscription.Whose.UNKNOWN)


def left_out(number: int) -> list[str]:
    return [f"{number:,} of unknown price left out"] if number else []


def counted_as_before() -> list[str]:
    number = Subscription.objects.filter(HAS_UNKNOWN_PRICE).exclude(mrr=0).count()
    return [f"{number:,} of unknown price counted as before"] if number else []

"""This check examines add-ons: whether what is paid is sold with the plan."""

from collections.abc import Iterator

from django.db.models import Count

from billing.models import AddOn, Subscription, SubscriptionItem

from .findings import Finding, warning

LIVES = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING, Subscription.Status.PAST_DUE)


def add_ons() -> Iterator[Finding]:
    """Find add-ons that are paid beside a plan which they are not sold with, as after a change of plan at Stripe."""
    items = SubscriptionItem.objects.filter(add_on_price__isnull=False, subscription__status__in=LIVES)
    by = items.exclude(subscription__plan=None).values_list("add_on_price__add_on", "subscription__plan__slug")
    known = {add_on.pk: add_on for add_on in AddOn.objects.all()}
    for pk, plan, number in by.annotate(n=Count("subscription", distinct=True)).order_by("subscription__plan__slug"):
        if not known[pk].is_sold_with(plan):
            text = f"{number} subscriptions to {plan} have the add-on {known[pk].slug}, which is not sold with it."
            yield warning("add-ons", text, "Name the plan in BILLING_ADD_ONS, or take it away by 'Change add-ons'.")

"""A price is for sale if it is a public plan's, by an interval, in a currency."""

from billing import catalogue
from billing.models import Plan, Price

from .refusals import PriceNotOffered

CADENCES = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}


def price_of(plan_slug: str, interval: str, currency: str = "") -> Price:
    """Return the price for sale, in `currency` if that is given. Raises `PriceNotOffered`."""
    plan = Plan.objects.filter(slug=plan_slug, is_public=True).prefetch_related("prices__plan").first()
    price = catalogue.price_for_sale(plan, interval) if plan else None
    if plan is None or price is None:
        raise PriceNotOffered(f'We don\'t sell a {cadence(interval)} plan called "{plan_slug}".')
    if currency and currency not in catalogue.amounts(price):
        raise PriceNotOffered(f"We don't sell {plan.name} in {currency.upper()}.")
    return price


def cadence(interval: str) -> str:
    return CADENCES.get(interval, interval)

"""What may be bought: a public plan's price by an interval, in a currency."""

from billing import catalogue
from billing.models import Plan, Price

from .refusals import PriceNotOffered


def price_of(plan_slug: str, interval: str, currency: str = "") -> Price:
    """The price on offer, sold in `currency` where one is named. Raises `PriceNotOffered`."""
    plan = Plan.objects.filter(slug=plan_slug, is_public=True).prefetch_related("prices__plan").first()
    price = catalogue.price_for_sale(plan, interval) if plan else None
    if price is None:
        raise PriceNotOffered(f"There is no plan {plan_slug} by the {interval} for sale.")
    if currency and currency not in catalogue.amounts(price):
        raise PriceNotOffered(f"The plan {plan_slug} is not sold in {currency.upper()}.")
    return price

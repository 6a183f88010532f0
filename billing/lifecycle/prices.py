"""A price is for sale if it is a public plan's, by a cadence, in a currency."""

from collections.abc import Callable
from typing import TypeVar

from django.utils.translation import gettext as _

from billing import catalogue, lanes
from billing.cadence import Cadence
from billing.models import Plan, Price
from billing.stripe_client import StripeRefused, StripeUnavailable

from .refusals import PriceNotOffered

T = TypeVar("T")


def price_of(plan_slug: str, interval: str, currency: str = "", interval_count: int = 1) -> Price:
    """Return the price for sale, in `currency` if that is given. Raises `PriceNotOffered`."""
    cadence = Cadence(interval, interval_count)
    plan = Plan.objects.filter(slug=plan_slug, is_public=True).prefetch_related("prices__plan").first()
    price = catalogue.price_for_sale(plan, cadence) if plan else None
    if plan is None or price is None:
        raise PriceNotOffered(_not_sold(plan_slug, cadence))
    if currency and currency not in catalogue.amounts.currencies(price):
        raise PriceNotOffered(
            _("We don't sell {plan} in {currency}.").format(plan=plan.name, currency=currency.upper())
        )
    return price


def is_replaced(price: Price) -> bool:
    """Ask Stripe for a price that it refused to sell, and return whether it differs from ours: then ours is corrected,
    although no event came. During an outage nothing is known, and nothing is changed.
    """
    try:
        with lanes.exclusive(catalogue.refreshing.LANE) as commit:
            return commit(lambda: catalogue.refreshing.refresh_price(price))
    except (StripeUnavailable, lanes.LaneBusy, *StripeRefused):
        return False


def with_price_for_sale(find: Callable[[], Price], work: Callable[[Price], T]) -> T:
    """Do `work` with the price that `find` returns, and once more if Stripe refuses a price that was replaced.

    Raises what `find` and `work` raise.
    """
    price = find()
    try:
        return work(price)
    except StripeRefused:
        if not is_replaced(price):
            raise
    return work(find())


def _not_sold(plan_slug: str, cadence: Cadence) -> str:
    if cadence.count == 1:
        words = _('We don\'t sell a {how_often} plan called "{plan}".')
    else:
        words = _('We don\'t sell a plan called "{plan}" that is billed {how_often}.')
    return words.format(plan=plan_slug, how_often=cadence.adverb)

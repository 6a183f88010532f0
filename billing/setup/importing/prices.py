"""Prices from before this project are assigned to our plans, as the operator says."""

from billing import catalogue, stripe_client
from billing.models import Plan, Price
from billing.stripe_client import StripeRefused, fetch

from .matching import WrongUse


def learn(wanted: dict[str, str], *, is_dry: bool) -> dict[str, Price]:
    """Return price id → our row, for each `wanted` price id → plan slug. All are checked before the first is written.

    Raises `WrongUse`, `StripeUnavailable`.
    """
    rows = {price: _row(price, slug) for price, slug in wanted.items()}
    if not is_dry:
        Price.objects.bulk_create(rows.values(), ignore_conflicts=True)
    return rows


def _row(price: str, slug: str) -> Price:
    plan = Plan.objects.filter(slug=slug).first()
    if plan is None:
        raise WrongUse(f"There is no plan {slug}. Choose one of: {', '.join(catalogue.plan_slugs())}.")
    known = Price.objects.select_related("plan").filter(pk=price).first()
    if known and known.plan != plan:
        raise WrongUse(
            f"{price} belongs to the plan {known.plan.slug}: staff can change that under Prices in the admin."
        )
    if known:
        return known
    try:
        found = stripe_client.get(f"/v1/prices/{price}", expand=fetch.PRICE_EXPAND)
    except StripeRefused as error:
        raise WrongUse(f"{price} is not a price of this Stripe account.") from error
    if not found["recurring"]:
        raise WrongUse(f"{price} is a one-time price, but a plan is paid again and again.")
    return Price(pk=price, plan=plan, **catalogue.price_columns(found))

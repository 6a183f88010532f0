"""The plans of the test's database are published at the sandbox, as `setup_stripe` would publish them."""

from uuid import uuid4

from billing import catalogue, stripe_client
from billing.catalogue import definitions, lookup_key
from billing.conf import conf
from billing.models import Plan, Price
from billing.setup import publishing, publishing_overage
from billing.stripe_client import fetch


def publish() -> None:
    """Publish the prices that the database has, then those of default plans that it has.

    Plans of the settings are brought in line first; a database without any gets those that `setup` makes.
    """
    if conf.plans is not None or not Plan.objects.exists():
        definitions.update_plans()
    products: dict[str, str] = {}
    for price in Price.objects.filter(is_active=True).select_related("plan"):
        slug = price.plan.slug
        if slug not in products:
            products[slug] = _post("products", name=price.plan.name)["id"]
        _publish(price, products[slug])
    publishing.publish()
    if catalogue.overage.is_stated():
        publishing_overage.publish()


def _publish(price: Price, product: str) -> None:
    """Make the same price at the sandbox, where it gets another id, and sell that one."""
    made = _post(
        "prices",
        product=product,
        lookup_key=price.lookup_key or lookup_key(price.plan.slug, price.cadence),
        transfer_lookup_key=True,
        currency=price.currency,
        unit_amount=price.unit_amount,
        currency_options={currency: {"unit_amount": amount} for currency, amount in price.currency_options.items()},
        recurring={"interval": price.interval, "interval_count": price.interval_count},
        expand=fetch.PRICE_EXPAND,
    )
    Price.objects.filter(pk=price.pk).update(is_active=False)
    Price.objects.create(pk=made["id"], plan=price.plan, **catalogue.price_columns(made))


def _post(path: str, **params: object) -> dict[str, str]:
    return stripe_client.post(f"/v1/{path}", idempotency_key=f"test-{uuid4()}", **params)

"""Products and prices are made at Stripe here, for plans, add-ons, packs and use beyond a limit alike."""

import hashlib
from typing import Any

from billing import stripe_client
from billing.stripe_client import fetch, readers

from . import taxing

LOOKUP_KEYS_A_CALL = 10
EXPAND = [f"data.{name}" for name in fetch.PRICE_EXPAND]
StripePrice = dict[str, Any]


def existing(keys: list[str]) -> dict[str, StripePrice]:
    """Return lookup key → Stripe's price, including archived ones: an archived price is not made again."""
    found: dict[str, StripePrice] = {}
    for start in range(0, len(keys), LOOKUP_KEYS_A_CALL):
        some = keys[start : start + LOOKUP_KEYS_A_CALL]
        prices = stripe_client.get("/v1/prices", lookup_keys=some, expand=EXPAND, limit=100)
        found |= {price["lookup_key"]: price for price in prices["data"]}
    return found


def amounts_of(price: StripePrice) -> dict[str, int]:
    """Return currency → minor units of a price."""
    return {currency: option["unit_amount"] for currency, option in price["currency_options"].items()}


def make_product(kind: str, slug: str, mark: str, name: str, description: str = "") -> str:
    """Make a product, marked as ours, and return its id. One that is renamed gets a new idempotency key."""
    digest = hashlib.sha256(repr((name, description)).encode()).hexdigest()[:12]
    made = stripe_client.post(
        "/v1/products",
        idempotency_key=f"publish:{kind}:{digest}{taxing.key(slug)}",
        name=name,
        metadata={mark: slug},
        **taxing.of_product(slug),
        **({"description": description} if description else {}),
    )
    return str(made["id"])


def make_price(
    lookup_key: str,
    slug: str,
    mark: str,
    product: str,
    amounts: dict[str, Any],
    before: StripePrice | None,
    *,
    meter: str = "",
    **more: Any,
) -> StripePrice:
    """Make a price, marked as ours, which takes the lookup key over from the one `before`. The first currency is its
    own; a metered price has its amounts as text.
    """
    unit = "unit_amount_decimal" if meter else "unit_amount"
    (currency, amount), *others = amounts.items()
    variant = (f":{meter}" if meter else "") + (f":{before['id']}" if before else "")
    return stripe_client.post(
        "/v1/prices",
        idempotency_key=f"publish:price:{lookup_key}:{product}{variant}{taxing.key(slug)}",
        product=product,
        lookup_key=lookup_key,
        transfer_lookup_key=True,
        currency=currency,
        currency_options={other: {unit: value, **taxing.of_price()} for other, value in others},
        metadata={mark: slug},
        expand=fetch.PRICE_EXPAND,
        **{unit: amount},
        **taxing.of_price(),
        **more,
    )


def archive(price: StripePrice | None, mark: str) -> StripePrice | None:
    """Archive a price if we made it, and return it. Any other has lost its lookup key, which is enough."""
    if price is None or mark not in readers.metadata_of(price):
        return None
    key = f"publish:archive:{price['id']}"
    return stripe_client.post(f"/v1/prices/{price['id']}", idempotency_key=key, active=False)

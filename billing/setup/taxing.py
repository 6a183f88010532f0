"""Prices say at Stripe whether they include tax, and products what they are to a tax office, by BILLING_TAX.

A price says it once and for good. One that says nothing yet can still be told; one that says the opposite is replaced
where the settings define the plans, and is left to staff otherwise.
"""

from typing import Any

from billing import stripe_client
from billing.conf import conf
from billing.stripe_client import readers

MARK = "billing_plan"
UNSAID = "unspecified"
Object = dict[str, Any]


def of_price() -> Object:
    """Return the parameter of a new price, and of each of its currencies."""
    return {"tax_behavior": conf.tax["behavior"]} if conf.tax.get("behavior") else {}


def of_product(slug: str) -> Object:
    """Return the parameter of the product of a plan or pack."""
    return {"tax_code": code_for(slug)} if code_for(slug) else {}


def code_for(slug: str) -> str:
    """Return the tax code of a plan or pack: its own of "codes", else "code", which is for all."""
    return str((conf.tax.get("codes") or {}).get(slug) or conf.tax.get("code") or "")


def key(slug: str) -> str:
    """Return the part of an idempotency key that differs where the setting does."""
    return "".join(f":{each}" for each in (conf.tax.get("behavior"), code_for(slug)) if each)


def may_stay(price: Object) -> bool:
    """Return whether a price says what the setting does, or can still be told so."""
    return behaviors_of(price) <= {conf.tax.get("behavior"), UNSAID} or not conf.tax.get("behavior")


def behaviors_of(price: Object) -> set[str]:
    """Return what a price says of tax, over all of its currencies."""
    return {_says(price), *map(_says, (price.get("currency_options") or {}).values())}


def unsaid(prices: list[Object]) -> list[Object]:
    """Return our prices that do not say yet whether they include tax, while the setting does."""
    if not conf.tax.get("behavior"):
        return []
    return [price for price in prices if _is_ours(price) and price["active"] and UNSAID in behaviors_of(price)]


def without_code(prices: list[Object]) -> list[Object]:
    """Return our products, each once, that have another tax code than the setting's, or none."""
    products = {price["product"]["id"]: price["product"] for price in prices if isinstance(price["product"], dict)}
    ours = [each for each in products.values() if _is_ours(each)]
    return [each for each in ours if _wanted(each) and _code_of(each) != _wanted(each)]


def say(prices: list[Object]) -> None:
    """Tell Stripe what our prices and products do not say yet. Raises `StripeUnavailable`, `StripeRefused`."""
    for price in unsaid(prices):
        others = _untold_currencies(price)
        own = of_price() if _says(price) == UNSAID else {}
        options = {"currency_options": others} if others else {}
        known = f"publish:tax:{price['id']}:{conf.tax['behavior']}:{'-'.join(sorted(others))}"
        stripe_client.post(f"/v1/prices/{price['id']}", idempotency_key=known, **own, **options)
    for product in without_code(prices):
        known = f"publish:tax:{product['id']}:{_code_of(product)}:{_wanted(product)}"
        stripe_client.post(f"/v1/products/{product['id']}", idempotency_key=known, tax_code=_wanted(product))


def _untold_currencies(price: Object) -> Object:
    """Return the price's further currencies that say nothing of tax, with their amounts, which Stripe wants again."""
    return {
        currency: {"unit_amount": option["unit_amount"], **of_price()}
        for currency, option in price["currency_options"].items()
        if currency != price["currency"] and _says(option) == UNSAID and option["unit_amount"] is not None
    }


def _says(found: Object) -> str:
    """Return what a price, or one currency of it, says of tax."""
    return str(found.get("tax_behavior") or UNSAID)


def _code_of(product: Object) -> str:
    return str(readers.id_of(product.get("tax_code")))


def _wanted(product: Object) -> str:
    """Return the tax code that the setting gives the product of a plan."""
    return code_for(readers.metadata_of(product)[MARK])


def _is_ours(found: Object) -> bool:
    return MARK in readers.metadata_of(found)

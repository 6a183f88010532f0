"""A Checkout or an agreement is told here how what it sells is taxed, by BILLING_TAX; nothing is billed untaxed."""

from typing import Any

from billing import stripe_client
from billing.conf import conf
from billing.stripe_client import id_of

from .refusals import TaxAddressNeeded

Params = dict[str, Any]


def taxed(params: Params) -> Params:
    """Return the parameters of a Checkout session, of a subscription or of a one-off payment, with those of its tax.

    Stripe Tax and tax ids need the buyer's address and name, so the page asks for them and keeps them on the customer.
    """
    return {**params, **_asked_of_the_buyer(), **_automatic(), **_by_hand(params)}


def of_subscription() -> Params:
    """Return the parameters of a subscription that no Checkout begins. Nobody is asked for an address then: Stripe
    refuses it, with `NoTaxAddress`, for a customer who is nowhere."""
    rates = list(conf.tax.get("rates", ()))
    return {**_automatic(), **({"default_tax_rates": rates} if rates else {})}


def is_as_set(session: dict[str, Any]) -> bool:
    """Return whether an open session computes tax as BILLING_TAX has it now; it may have changed since."""
    is_automatic = (session.get("automatic_tax") or {}).get("enabled", False)
    return bool(is_automatic) == bool(conf.tax.get("automatic"))


def refuse_without_place(subscription: dict[str, Any]) -> None:
    """Raise `TaxAddressNeeded` if Stripe Tax finds no place for the customer: it would bill without tax. Makes one call
    where a subscription is taxed automatically.
    """
    if not (subscription.get("automatic_tax") or {}).get("enabled"):
        return
    found = stripe_client.get(f"/v1/customers/{id_of(subscription['customer'])}", expand=["tax"])
    if (found.get("tax") or {}).get("automatic_tax") == "unrecognized_location":
        raise TaxAddressNeeded


def _automatic() -> Params:
    return {"automatic_tax": {"enabled": True}} if conf.tax.get("automatic") else {}


def _asked_of_the_buyer() -> Params:
    if not conf.tax.get("automatic") and not conf.tax.get("tax_ids"):
        return {}
    asked: Params = {
        "billing_address_collection": "required",
        "customer_update": {"address": "auto", "name": "auto"},
    }
    return {**asked, "tax_id_collection": {"enabled": True}} if conf.tax.get("tax_ids") else asked


def _by_hand(params: Params) -> Params:
    """Return the rates as a subscription keeps them for its renewals; a one-off payment has them on its lines."""
    rates = list(conf.tax.get("rates", ()))
    if not rates:
        return {}
    if params["mode"] == "subscription":
        return {"subscription_data": {**params.get("subscription_data", {}), "default_tax_rates": rates}}
    return {"line_items": [{**line, "tax_rates": rates} for line in params["line_items"]]}

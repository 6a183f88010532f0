"""Staff say what a price buys that no plan knows, or that it buys nothing."""

from typing import Any

from billing import catalogue, subscriptions
from billing.catalogue import definitions
from billing.models import Customer, Price
from billing.stripe_client import fetch
from billing.subscriptions import doubts

from . import staff_forms
from .action import Action, is_gone
from .refused import Refused


def _has_unknown_price(customer: Customer) -> bool:
    return not is_gone(customer) and bool(doubts.unknown_of(customer))


def _about_mapping(customer: Customer) -> list[str]:
    said = [
        "The price belongs to that plan from now on, for everybody who pays it.",
        "Its other customers follow with the next full sync, or when you refresh them.",
    ]
    if definitions.is_from_settings():
        said.append("The plans are defined by BILLING_PLANS: for a plan that is not listed, add it there first.")
    return said


def _map_price(customer: Customer, given: dict[str, Any]) -> str:
    """Give the price to a plan, unless a colleague has given it to another one: on another customer's page it is
    offered until that customer is refreshed."""
    if Price.objects.filter(pk=given["price"]).exclude(plan=given["plan"]).exists():
        raise Refused
    found = fetch.price(given["price"])
    if found is None or catalogue.give_price(found, given["plan"]) is None:
        raise Refused
    subscriptions.refresh_rows(customer)
    return f"Said that the price {given['price']} buys {given['plan']}"


def _about_keeping_price(customer: Customer) -> list[str]:
    return [
        "Access stays as it is, and Stripe goes on billing.",
        "The doctor and the sync name this price of this customer no more.",
    ]


def _keep_price(customer: Customer, given: dict[str, Any]) -> str:
    if not doubts.keep(customer, given["price"]):
        raise Refused
    return f"Kept the price {given['price']}, which belongs to no plan"


MAP_PRICE = Action(
    "map-price",
    "map_price",
    "Say what a price buys",
    staff_forms.MapPriceForm,
    _about_mapping,
    _has_unknown_price,
    _map_price,
)
KEEP_PRICE = Action(
    "keep-price",
    "map_price",
    "Keep a price of no plan",
    staff_forms.UnknownPriceForm,
    _about_keeping_price,
    _has_unknown_price,
    _keep_price,
)

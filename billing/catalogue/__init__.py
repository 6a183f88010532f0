"""The catalogue holds plans and their prices, and tells which plan a price at Stripe belongs to."""

from . import amounts, coupons, definitions, labels, refreshing, visitors
from .definitions import PlanDefinition
from .prices import (
    UnmappedPrice,
    cadences_of,
    currencies_of,
    give_price,
    is_plan,
    line_of_product,
    lookup_key,
    plan_item,
    plan_slugs,
    price_columns,
    price_for_sale,
    prices_remembered,
    public_plans,
    record_price,
)

__all__ = [
    "PlanDefinition",
    "UnmappedPrice",
    "amounts",
    "cadences_of",
    "coupons",
    "currencies_of",
    "definitions",
    "give_price",
    "is_plan",
    "labels",
    "line_of_product",
    "lookup_key",
    "plan_item",
    "plan_slugs",
    "price_columns",
    "price_for_sale",
    "prices_remembered",
    "public_plans",
    "record_price",
    "refreshing",
    "visitors",
]

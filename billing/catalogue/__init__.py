"""The catalogue holds plans and their prices, and tells which plan a price at Stripe belongs to."""

from . import definitions, visitors
from .definitions import PlanDefinition
from .prices import (
    UnmappedPrice,
    amounts,
    currencies_of,
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
    "currencies_of",
    "definitions",
    "is_plan",
    "line_of_product",
    "lookup_key",
    "plan_item",
    "plan_slugs",
    "price_columns",
    "price_for_sale",
    "prices_remembered",
    "public_plans",
    "record_price",
    "visitors",
]

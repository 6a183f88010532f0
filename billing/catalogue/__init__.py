"""Plans and their prices: what is sold, and which plan a price at Stripe belongs to."""

from . import definitions, visitors
from .definitions import PlanDefinition
from .prices import (
    UnmappedPrice,
    amounts,
    facts,
    is_plan,
    lookup_key,
    offered,
    plan_item,
    prices_remembered,
    public_plans,
    refresh,
    slugs,
    sold_in,
)

__all__ = [
    "PlanDefinition",
    "UnmappedPrice",
    "amounts",
    "definitions",
    "facts",
    "is_plan",
    "lookup_key",
    "offered",
    "plan_item",
    "prices_remembered",
    "public_plans",
    "refresh",
    "slugs",
    "sold_in",
    "visitors",
]

"""The calls of test_sdk that find objects, quote prices and direct events."""

from typing import Any

SEARCHES = {
    "charges": "amount>0",
    "customers": "email~'example'",
    "invoices": "total>0",
    "payment_intents": "status:'succeeded'",
    "prices": "active:'true'",
    "products": "name:'Pro'",
    "subscriptions": "status:'active'",
}


def _searching(family: str, query: str) -> Any:
    return lambda c, w: getattr(c.v1, family).search({"query": query})


FURTHER_CALLS = {f"{family}.search": _searching(family, query) for family, query in SEARCHES.items()}

"""A host project may run each request in a transaction (ATOMIC_REQUESTS). Our views open their own instead.

They call Stripe between transactions, and what they have written down before a call must stay when a later step fails.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.urls import URLResolver


def without_a_transaction(addresses: Iterable[Any]) -> list[Any]:
    """Mark the views of these addresses, so that Django opens no transaction around them. Return the addresses."""
    found = list(addresses)
    for each in found:
        if isinstance(each, URLResolver):
            without_a_transaction(each.url_patterns)
        else:
            transaction.non_atomic_requests(each.callback)
    return found

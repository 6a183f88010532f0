"""The worker updates the customer at Stripe with the details of the subscriber."""

import hashlib
import json
from typing import Any

from billing import stripe_client
from billing.lanes import standing_writes
from billing.stripe_client import StripeRefused
from billing.subscriptions import customer_details


def write_details(rows: standing_writes.Rows) -> None:
    """Update the customer at Stripe; empty details are cleared there.

    Call it holding the lane, with no transaction open. Raises `StripeUnavailable`, `StripeRefused`.
    """
    customer = standing_writes.customer_of(rows)
    if customer is None:
        return
    details = {
        name: "" if value is None else value for name, value in customer_details.details_of(customer.subscriber).items()
    }
    if not details:
        return
    try:
        stripe_client.post(f"/v1/customers/{customer.pk}", idempotency_key=_key(rows, details), **details)
    except StripeRefused as error:
        if error.code != "resource_missing":
            raise


def _key(rows: standing_writes.Rows, details: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(details, sort_keys=True, default=str).encode()).hexdigest()
    return f"{standing_writes.key_of(rows)}:{digest[:12]}"

"""The worker updates the customer at Stripe with the details of the subscriber."""

import hashlib
import json
from functools import partial
from typing import Any

from billing import stripe_client
from billing.lanes import standing_writes
from billing.stripe_client import StripeRefused
from billing.subscriptions import customer_details

from . import send_details


def write_details(rows: standing_writes.Rows) -> None:
    """Update the customer at Stripe; empty details are cleared there. What can be given only to a new customer is left
    out, except for tax ids, which have an address of their own.

    Call it holding the lane, with no transaction open. Raises `StripeUnavailable`, `StripeRefused`, and `GivenUp` once
    the rest is written, if Stripe refuses some details for good.
    """
    customer = standing_writes.customer_of(rows)
    if customer is None:
        return
    details = customer_details.details_of(customer.subscriber)
    tax_ids = details.get("tax_id_data") or []
    plain = {
        name: "" if value is None else value
        for name, value in details.items()
        if name not in send_details.ONLY_AT_CREATION
    }
    try:
        refused = _write(customer.pk, rows, plain, tax_ids)
    except StripeRefused as error:
        if error.code != "resource_missing":
            raise
        return
    if refused:
        raise standing_writes.GivenUp(send_details.in_words(refused))


def _write(
    customer_id: str, rows: standing_writes.Rows, details: dict[str, Any], tax_ids: list[dict[str, str]]
) -> send_details.Refused:
    refused: send_details.Refused = {}
    if details:
        _, refused = send_details.send(details, partial(_post, f"/v1/customers/{customer_id}", rows))
    if tax_ids:
        refused |= send_details.write_tax_ids(customer_id, tax_ids, standing_writes.key_of(rows))
    return refused


def _post(path: str, rows: standing_writes.Rows, details: dict[str, Any]) -> None:
    if details:
        stripe_client.post(path, idempotency_key=_key(rows, details), **details)


def _key(rows: standing_writes.Rows, details: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(details, sort_keys=True, default=str).encode()).hexdigest()
    return f"{standing_writes.key_of(rows)}:{digest[:12]}"

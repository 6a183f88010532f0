"""What the sync engine has written is compared with what the API answers."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import stripe

from stripe_sandbox import Sandbox

from .installing import Driven

Row = dict[str, Any]

# The engine's tables, and where the API has their objects.
PATHS = {
    "active_entitlements": "entitlements/active_entitlements",
    "charges": "charges",
    "checkout_sessions": "checkout/sessions",
    "credit_notes": "credit_notes",
    "customers": "customers",
    "disputes": "disputes",
    "early_fraud_warnings": "radar/early_fraud_warnings",
    "features": "entitlements/features",
    "invoices": "invoices",
    "payment_intents": "payment_intents",
    "payment_methods": "payment_methods",
    "plans": "plans",
    "prices": "prices",
    "products": "products",
    "refunds": "refunds",
    "setup_intents": "setup_intents",
    "subscription_items": "subscription_items",
    "subscription_schedules": "subscription_schedules",
    "subscriptions": "subscriptions",
    "tax_ids": "tax_ids",
}
# Those that the API lists only by their parent.
PARENTS = {
    "active_entitlements": ("customers", "customer"),
    "payment_methods": ("customers", "customer"),
    "subscription_items": ("subscriptions", "subscription"),
}
ITS_OWN = {"updated_at", "last_synced_at", "deleted"}


class Copy:
    """The engine at work on an empty database, and what it has written there."""

    def __init__(self, engine: Driven, connection: "psycopg.Connection[Row]") -> None:
        self.engine, self.connection = engine, connection

    def rows(self, table: str) -> dict[str, Row]:
        found = self.connection.execute(
            psycopg.sql.SQL("SELECT * FROM stripe.{}").format(psycopg.sql.Identifier(table))
        )
        return {row["id"]: row for row in found}


def objects(sandbox: Sandbox, table: str) -> dict[str, Row]:
    """Return every object that the API lists for the table, by its id."""
    if table not in PARENTS:
        return {row["id"]: row for row in _listed(sandbox, table)}
    parents, name = PARENTS[table]
    found = [
        (parent, row) for parent in _listed(sandbox, parents) for row in _listed(sandbox, table, **{name: parent["id"]})
    ]
    return {row["id"]: {name: parent["id"], **row} for parent, row in found}


def _listed(sandbox: Sandbox, table: str, **params: Any) -> Iterator[Row]:
    client = stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url})
    params |= {"limit": 100} | ({"status": "all"} if table == "subscriptions" else {})
    while True:
        answer = client.raw_request("get", f"/v1/{PATHS[table]}", **params).data
        yield from answer["data"]
        if not answer["has_more"]:
            return
        params["starting_after"] = answer["data"][-1]["id"]


def differences(row: Row, obj: Row) -> list[str]:
    """Return where the row is not as the object, each with both values."""
    columns = row.keys() - ITS_OWN
    return [
        f"{name}: {row[name]!r}, not {obj.get(name)!r}" for name in columns if not _is_same(row[name], obj.get(name))
    ]


def _is_same(kept: Any, sent: Any) -> bool:
    """The engine keeps some objects by their ids, numbers and JSON as text, and a flag that is not there as false."""
    if kept == sent or (kept is False and sent is None):
        return True
    by_id = isinstance(sent, dict) and kept == sent.get("id")
    return by_id or (sent is not None and str(kept) in (str(sent), json.dumps(sent, separators=(",", ":"))))

"""A customer is entitled to the features of the products that their live subscriptions are for.

Assumed: a subscription gives them while it is trialing, active or past due.
"""

import json

from ..events import FOLLOWERS, emit
from ..http.blanks import blank, embedded_list
from ..store import Object, State

GIVING = ("trialing", "active", "past_due")
ENTITLEMENT = "entitlements.active_entitlement"


def attached(state: State, product: str) -> list[Object]:
    """Return the features of a product, newest first, as objects that name the product and the feature."""
    named = state.notes.get(product, {}).get("features", [])
    return [state.get("product_feature", each) for each in reversed(named)]


def held(state: State, customer: str) -> list[Object]:
    named = state.notes.get(customer, {}).get("entitlements", {})
    return [state.get(ENTITLEMENT, each) for each in named.values()]


def refresh(state: State, customer: str) -> None:
    """Announce the entitlements that changed since the last time, once."""
    before = state.note(customer).setdefault("entitlements", {})
    wanted = _wanted(state, customer)
    if wanted.keys() == before.keys():
        return
    previous = _listed(customer, held(state, customer))
    after = {feature: before.get(feature) or _entitle(state, row) for feature, row in wanted.items()}
    state.note(customer)["entitlements"] = after
    for feature in before.keys() - after.keys():
        state.table(ENTITLEMENT).remove(before[feature])
    summary = {
        "object": "entitlements.active_entitlement_summary",
        "customer": customer,
        "entitlements": _listed(customer, held(state, customer)),
        "livemode": False,
    }
    emit(state, "entitlements.active_entitlement_summary.updated", summary, {"entitlements": previous})


def _wanted(state: State, customer: str) -> dict[str, Object]:
    subs = [sub for sub in state.table("subscription").where("customer", customer) if sub["status"] in GIVING]
    products = [item["price"]["product"] for sub in subs for item in sub["items"]["data"]]
    rows = [row["entitlement_feature"] for product in products for row in attached(state, product)]
    return {row["id"]: row for row in rows}


def _entitle(state: State, feature: Object) -> str:
    row = blank(
        ENTITLEMENT, state.new_id("ent"), feature=feature["id"], livemode=False, lookup_key=feature["lookup_key"]
    )
    return str(state.put(row)["id"])


def _listed(customer: str, rows: list[Object]) -> Object:
    return embedded_list(f"/v1/customers/{customer}/entitlements", rows[:10], len(rows) > 10)


def follow(state: State, kind: str, snapshot: str) -> None:
    if kind.startswith("customer.subscription.") and state.table("product_feature").rows:
        refresh(state, json.loads(snapshot)["customer"])


def refresh_all(state: State) -> None:
    for customer in list(state.table("customer").rows):
        refresh(state, customer)


FOLLOWERS.append(follow)

"""A deep link opens the portal for one task, and says where the customer goes once it is done."""

from typing import Any

from ..books import pricing, standing
from ..errors import invalid, missing_parameter
from ..store import Object, State
from . import plan_switching

FEATURES = {
    "customer_update": "customer_update",
    "payment_method_update": "payment_method_update",
    "subscription_cancel": "subscription_cancel",
    "subscription_update": "subscription_update",
    "subscription_update_confirm": "subscription_update",
}
ACTIONS = {
    "customer_update": "details",
    "payment_method_update": "card",
    "subscription_cancel": "cancel",
    "subscription_update": "switch",
    "subscription_update_confirm": "switch",
}
OF_A_SUBSCRIPTION = ("subscription_cancel", "subscription_update", "subscription_update_confirm")


def read(state: State, given: dict[str, Any], customer: str, features: Object) -> Object:
    """Return `session.flow` from `flow_data`, if the configuration and the subscription allow it."""
    kind = given["type"]
    if not features[FEATURES[kind]]["enabled"]:
        raise invalid(
            f"This flow needs the feature `{FEATURES[kind]}` of the portal's configuration.", "flow_data[type]"
        )
    shown: Object = dict.fromkeys(("customer_update", *OF_A_SUBSCRIPTION))
    if kind in OF_A_SUBSCRIPTION:
        shown[kind] = _for_subscription(state, given, customer, features)
    return {
        "after_completion": _after(given.get("after_completion") or {"type": "portal_homepage"}),
        "type": kind,
        **shown,
    }


def _after(given: dict[str, Any]) -> Object:
    kind = given["type"]
    if kind == "redirect" and "redirect" not in given:
        raise missing_parameter("flow_data[after_completion][redirect]")
    custom = given.get("hosted_confirmation") or {}
    confirmation = {"custom_message": custom.get("custom_message")} if kind == "hosted_confirmation" else None
    return {"hosted_confirmation": confirmation, "redirect": given.get("redirect"), "type": kind}


def _for_subscription(state: State, given: dict[str, Any], customer: str, features: Object) -> Object:
    kind = given["type"]
    wanted = given.get(kind)
    if wanted is None:
        raise missing_parameter(f"flow_data[{kind}]")
    where = f"flow_data[{kind}][subscription]"
    sub = state.get("subscription", wanted["subscription"], where)
    if sub["customer"] != customer or standing.is_over(sub):
        raise invalid("The subscription is over, or another customer's.", where)
    if kind == "subscription_cancel":
        if sub["cancel_at"] is not None:
            raise invalid("The subscription is already set to be canceled.", where)
        return {"retention": None, "subscription": sub["id"]}
    feature = features["subscription_update"]
    if len(sub["items"]["data"]) != 1:
        raise invalid("A subscription of several items cannot be updated in the portal.", where)
    return _confirmed(state, sub, wanted, feature) if kind.endswith("confirm") else {"subscription": sub["id"]}


def _confirmed(state: State, sub: Object, wanted: dict[str, Any], feature: Object) -> Object:
    where = "flow_data[subscription_update_confirm][items]"
    item = sub["items"]["data"][0]
    if len(wanted["items"]) != 1 or wanted["items"][0]["id"] != item["id"]:
        raise invalid("Name the one item of the subscription.", where)
    entry = wanted["items"][0]
    target = {
        "id": item["id"],
        "price": entry.get("price", item["price"]["id"]),
        "quantity": entry.get("quantity", pricing.quantity_of(item)),
    }
    plan_switching.check(state, sub, feature, target["price"], target["quantity"])
    discounts = wanted.get("discounts")
    if discounts and len(discounts) > 1:
        raise invalid("An update in the portal takes one discount.", where.replace("items", "discounts"))
    shown = [{"coupon": None, "promotion_code": None, **each} for each in discounts or []]
    return {"discounts": shown or None, "items": [target], "subscription": sub["id"]}


def opened(state: State, session: Object) -> Object | None:
    """Return the flow that a session still has before it."""
    return None if state.note(session["id"]).get("flow_done") else session["flow"]


def bound(flow: Object | None, given: dict[str, str]) -> dict[str, str]:
    """Return what is asked for on the page, held to the one thing that the flow is for."""
    if flow is None:
        return given
    if given.get("action") != ACTIONS[flow["type"]]:
        raise invalid("This page is for one thing only.")
    of_it = flow.get(flow["type"]) or {}
    return {**given, **({"subscription": of_it["subscription"]} if "subscription" in of_it else {})}


def finish(state: State, session: Object) -> Object | None:
    """Return the page after the flow's completion (`after_completion`), once."""
    flow = opened(state, session)
    if flow is None:
        return None
    state.note(session["id"])["flow_done"] = True
    after: Object = flow["after_completion"]
    return after

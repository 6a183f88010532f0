"""The customer portal has configurations and sessions; each session has a configuration.

As at Stripe the default configuration is made in the Dashboard, whose part the control plane plays (`save_default`).
"""

import json
from typing import Any

from ..errors import invalid, missing_parameter
from ..events import emit
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import portal_flows

CONFIGURATION = "billing_portal.configuration"
ADJUSTABLE = {"enabled": False, "maximum": None, "minimum": 1}
REASONS = (
    "customer_service low_quality missing_features other switched_service too_complex too_expensive unused".split()
)
FEATURES: dict[str, dict[str, Any]] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": REASONS},
        "enabled": True,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


def save_default(state: State) -> Object:
    """Save the portal's settings as the Dashboard does."""
    return _default(state) or state.put(_new_configuration(state, {}, is_default=True))


def _default(state: State) -> Object | None:
    return next((row for row in state.table(CONFIGURATION).rows.values() if row["is_default"]), None)


def _chosen(state: State, identifier: str | None) -> Object:
    found = state.get(CONFIGURATION, identifier, "configuration") if identifier else _default(state)
    if found is None:
        raise invalid(
            "No configuration provided and your test mode default configuration has not been created. Provide a "
            "configuration or create your default by saving your customer portal settings (here: POST "
            "/_sandbox/portal).",
        )
    if not found["active"]:
        raise invalid(f"The configuration {found['id']} is not active.", "configuration")
    return found


def _new_configuration(state: State, params: Params, is_default: bool) -> Object:
    configuration = blank(
        CONFIGURATION,
        state.new_id("bpc"),
        active=True,
        business_profile={"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        created=state.now(),
        features=json.loads(json.dumps(FEATURES)),
        is_default=is_default,
        livemode=False,
        login_page={"enabled": False, "url": None},
        metadata={},
        updated=state.now(),
    )
    if not is_default:
        for name in ("subscription_cancel", "payment_method_update", "invoice_history"):
            configuration["features"][name]["enabled"] = False
    _write(state, configuration, params)
    return configuration


def _write(state: State, configuration: Object, params: Params) -> None:
    for name in ("active", "default_return_url", "name"):
        if name in params:
            configuration[name] = params[name] if params[name] != "" else None
    profile = params.get("business_profile") or {}
    configuration["business_profile"].update({name: value or None for name, value in profile.items()})
    for name, values in (params.get("features") or {}).items():
        feature = configuration["features"][name]
        for key, value in values.items():
            nested = isinstance(feature.get(key), dict) and isinstance(value, dict)
            feature[key] = {**feature[key], **value} if nested else ([] if value == "" else value)
    _check_update(state, configuration["features"]["subscription_update"])
    configuration["metadata"] = merged(configuration["metadata"] or {}, params)


def _check_update(state: State, feature: Object) -> None:
    """Check what can be switched to: prices of the products named, each recurring."""
    if feature["enabled"] and not feature["products"]:
        raise invalid("You must provide products to let subscriptions be updated.", "features[subscription_update]")
    for entry in feature["products"] or []:
        entry["adjustable_quantity"] = {**ADJUSTABLE, **(entry.get("adjustable_quantity") or {})}
        product = state.get("product", entry["product"], "features[subscription_update][products]")
        for identifier in entry["prices"]:
            price = state.get("price", identifier, "features[subscription_update][products]")
            if price["product"] != product["id"] or price["recurring"] is None:
                raise invalid(
                    f"The price {identifier} is not a recurring price of the product {product['id']}.",
                    "features[subscription_update][products]",
                )


FEATURE_PARAMS = " ".join(f"features.{name}" for name in FEATURES)
FLOW = " ".join(
    f"flow_data.{name}"
    for name in (
        "type after_completion subscription_cancel.subscription subscription_update.subscription "
        "subscription_update_confirm.subscription subscription_update_confirm.items "
        "subscription_update_confirm.discounts"
    ).split()
)
PROFILE = "business_profile default_return_url metadata name"


@api.add(
    "POST",
    "/v1/billing_portal/configurations",
    "billing_portal.ConfigurationCreateParams",
    f"{FEATURE_PARAMS} {PROFILE}",
)
def create_configuration(state: State, params: Params) -> Object:
    row = state.put(_new_configuration(state, params, is_default=False))
    emit(state, "billing_portal.configuration.created", row)
    return row


@api.add(
    "POST",
    "/v1/billing_portal/configurations/{configuration}",
    "billing_portal.ConfigurationUpdateParams",
    f"{FEATURE_PARAMS} {PROFILE} active",
)
def update_configuration(state: State, configuration: str, params: Params) -> Object:
    row = state.get(CONFIGURATION, configuration)
    if row["is_default"] and params.get("active") is False:
        raise invalid("The default configuration cannot be deactivated.", "active")
    _write(state, row, params)
    row["updated"] = state.now()
    emit(state, "billing_portal.configuration.updated", row)
    return row


@api.add("GET", "/v1/billing_portal/configurations/{configuration}", "billing_portal.ConfigurationRetrieveParams")
def retrieve_configuration(state: State, configuration: str, params: Params) -> Object:
    return state.get(CONFIGURATION, configuration)


@api.add("GET", "/v1/billing_portal/configurations", "billing_portal.ConfigurationListParams", "active is_default")
def list_configurations(state: State, params: Params) -> Object:
    return page(state, CONFIGURATION, "/v1/billing_portal/configurations", params, same="active is_default")


@api.add(
    "POST",
    "/v1/billing_portal/sessions",
    "billing_portal.SessionCreateParams",
    f"configuration customer locale return_url {FLOW}",
)
def create_session(state: State, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    configuration = _chosen(state, params.get("configuration"))
    flow = None
    if "flow_data" in params:
        flow = portal_flows.read(state, params["flow_data"], customer["id"], configuration["features"])
    identifier = state.new_id("bps")
    session = blank(
        "billing_portal.session",
        identifier,
        configuration=configuration["id"],
        created=state.now(),
        customer=customer["id"],
        flow=flow,
        livemode=False,
        locale=params.get("locale"),
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=f"{state.base_url}/p/{identifier}",
    )
    state.put(session)
    emit(state, "billing_portal.session.created", session)
    return session

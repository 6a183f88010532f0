"""The customer portal: its sessions and configurations, of which there is a default one from the start."""

from typing import Any

from ..blanks import blank
from ..contract import Params
from ..errors import missing_parameter
from ..events import emit
from ..listing import page
from ..routing import api
from ..store import Object, State
from .customers import merged

CONFIGURATION = "billing_portal.configuration"
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


def default_configuration(state: State) -> Object:
    for row in state.table(CONFIGURATION).rows.values():
        if row["is_default"]:
            return row
    return state.put(_new_configuration(state, {}, is_default=True))


def _new_configuration(state: State, params: Params, is_default: bool) -> Object:
    configuration = blank(
        CONFIGURATION,
        state.new_id("bpc"),
        active=True,
        business_profile={"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        created=state.now(),
        features={name: dict(values) for name, values in FEATURES.items()},
        is_default=is_default,
        livemode=False,
        login_page={"enabled": False, "url": None},
        metadata={},
        updated=state.now(),
    )
    if not is_default:
        for name in ("subscription_cancel", "payment_method_update", "invoice_history"):
            configuration["features"][name]["enabled"] = False
    _write(configuration, params)
    return configuration


def _write(configuration: Object, params: Params) -> None:
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
    if "login_page" in params:
        configuration["login_page"]["enabled"] = params["login_page"]["enabled"]
    configuration["metadata"] = merged(configuration["metadata"] or {}, params)


FEATURE_PARAMS = " ".join(f"features.{name}" for name in FEATURES)
PROFILE = "business_profile default_return_url metadata name"


@api.add(
    "POST",
    "/v1/billing_portal/configurations",
    "billing_portal.ConfigurationCreateParams",
    f"{FEATURE_PARAMS} {PROFILE}",
)
def create_configuration(state: State, params: Params) -> Object:
    default_configuration(state)
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
    _write(row, params)
    row["updated"] = state.now()
    emit(state, "billing_portal.configuration.updated", row)
    return row


@api.add("GET", "/v1/billing_portal/configurations/{configuration}", "billing_portal.ConfigurationRetrieveParams")
def retrieve_configuration(state: State, configuration: str, params: Params) -> Object:
    return state.get(CONFIGURATION, configuration)


@api.add("GET", "/v1/billing_portal/configurations", "billing_portal.ConfigurationListParams", "active is_default")
def list_configurations(state: State, params: Params) -> Object:
    default_configuration(state)
    return page(state, CONFIGURATION, "/v1/billing_portal/configurations", params, same="active is_default")


@api.add(
    "POST",
    "/v1/billing_portal/sessions",
    "billing_portal.SessionCreateParams",
    "configuration customer locale return_url",
)
def create_session(state: State, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    chosen = params.get("configuration")
    configuration = state.get(CONFIGURATION, chosen, "configuration") if chosen else default_configuration(state)
    identifier = state.new_id("bps")
    session = blank(
        "billing_portal.session",
        identifier,
        configuration=configuration["id"],
        created=state.now(),
        customer=customer["id"],
        livemode=False,
        locale=params.get("locale"),
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=f"{state.base_url}/p/{identifier}",
    )
    state.put(session)
    emit(state, "billing_portal.session.created", session)
    return session

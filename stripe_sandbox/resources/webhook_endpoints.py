"""These routes serve webhook endpoints; the secret is shown only when one is created."""

import hashlib

from ..errors import invalid
from ..http import values
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from ..versions import API_VERSION, is_taken


@api.add(
    "POST",
    "/v1/webhook_endpoints",
    "WebhookEndpointCreateParams",
    "url enabled_events api_version description metadata",
)
def create(state: State, params: Params) -> Object:
    _check(state, params)
    identifier = state.new_id("we")
    endpoint = blank(
        "webhook_endpoint",
        identifier,
        api_version=API_VERSION if "api_version" in params else None,
        created=state.now(),
        description=params.get("description") or None,
        enabled_events=params["enabled_events"],
        livemode=False,
        metadata=merged({}, params),
        status="enabled",
        url=params["url"],
    )
    secret = "whsec_" + hashlib.sha256(f"{state.seed}:{identifier}".encode()).hexdigest()[:32]
    state.note(identifier)["secret"] = secret
    return {**state.put(endpoint), "secret": secret}


def _check(state: State, params: Params) -> None:
    if not values.is_web_address(params.get("url", "http://x")):
        raise invalid(f"Invalid URL: {params['url']}", "url", "url_invalid")
    if not is_taken(state, params.get("api_version", API_VERSION)):
        raise invalid(
            f"The sandbox sends events of {API_VERSION} only, unless it is started with --any-version.", "api_version"
        )


@api.add(
    "POST",
    "/v1/webhook_endpoints/{endpoint}",
    "WebhookEndpointUpdateParams",
    "url enabled_events description metadata disabled",
)
def update(state: State, endpoint: str, params: Params) -> Object:
    _check(state, params)
    row = state.get("webhook_endpoint", endpoint)
    row.update({name: params[name] for name in ("url", "enabled_events") if name in params})
    if "description" in params:
        row["description"] = params["description"] or None
    if "disabled" in params:
        row["status"] = "disabled" if params["disabled"] else "enabled"
    row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/webhook_endpoints/{endpoint}", "WebhookEndpointRetrieveParams")
def retrieve(state: State, endpoint: str, params: Params) -> Object:
    return state.get("webhook_endpoint", endpoint)


@api.add("GET", "/v1/webhook_endpoints", "WebhookEndpointListParams")
def list_all(state: State, params: Params) -> Object:
    return page(state, "webhook_endpoint", "/v1/webhook_endpoints", params)


@api.add("DELETE", "/v1/webhook_endpoints/{endpoint}", "WebhookEndpointDeleteParams")
def delete(state: State, endpoint: str, params: Params) -> Object:
    state.get("webhook_endpoint", endpoint)
    state.table("webhook_endpoint").remove(endpoint)
    return {"id": endpoint, "object": "webhook_endpoint", "deleted": True}

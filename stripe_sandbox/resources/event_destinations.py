"""Event destinations get events as snapshots or thin, as webhook endpoints do
(https://docs.stripe.com/api/v2/core/event-destinations). The secret is shown once, to whom it is made for.

Assumed: a ping goes to a destination of either payload, and to none that is disabled.
"""

import functools
import hashlib
import typing
from typing import Any

from .. import thin_events
from ..errors import invalid, missing_parameter, not_covered
from ..events import iso
from ..http import listing, values
from ..http.contract import Params, fields_of, params_class
from ..http.metadata import merged
from ..http.routing import api
from ..http.shapes import is_thin_event
from ..store import Object, State
from ..versions import API_VERSION, is_taken

KIND = "v2.core.event_destination"
PATH = "/v2/core/event_destinations"
PING = f"{KIND}.ping"
MOST = 100
MADE = "description enabled_events event_payload events_from include metadata name snapshot_api_version type"


@api.add("POST", PATH, "v2.core.EventDestinationCreateParams", f"{MADE} webhook_endpoint")
def create(state: State, params: Params) -> Object:
    if params["type"] != "webhook_endpoint":
        raise not_covered(f"type={params['type']}")
    if params.get("events_from", ["@self"]) != ["@self"]:
        raise not_covered("events_from (of others)")
    if "webhook_endpoint" not in params:
        raise missing_parameter("webhook_endpoint")
    payload = params["event_payload"]
    _check(params, payload)
    identifier = state.new_id("ed_test", 48)
    row = {
        "id": identifier,
        "object": KIND,
        "amazon_eventbridge": None,
        "azure_event_grid": None,
        "created": iso(state.now()),
        "description": params.get("description", ""),
        "enabled_events": params["enabled_events"],
        "event_payload": payload,
        "events_from": ["@self"],
        "livemode": False,
        "metadata": merged({}, params),
        "name": params["name"],
        "snapshot_api_version": _version(state, params, payload),
        "status": "enabled",
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": iso(state.now()),
        "webhook_endpoint": {"signing_secret": None, "url": None},
    }
    secret = "whsec_" + hashlib.sha256(f"{state.seed}:{identifier}".encode()).hexdigest()[:32]
    state.note(identifier).update(secret=secret, url=params["webhook_endpoint"]["url"])
    return _shown(state, state.put(row), params)


def _version(state: State, params: Params, payload: str) -> str | None:
    given = params.get("snapshot_api_version")
    if payload == "thin" and given:
        raise invalid("`snapshot_api_version` goes with `event_payload=snapshot`.", "snapshot_api_version")
    if given and not is_taken(state, given):
        raise invalid(f"The sandbox sends events of {API_VERSION} only, unless it is started with --any-version.",
                      "snapshot_api_version")  # fmt: skip
    return None if payload == "thin" else API_VERSION


def _check(params: Params, payload: str) -> None:
    url = (params.get("webhook_endpoint") or {}).get("url", "http://x")
    if not values.is_web_address(url):
        raise invalid(f"Invalid URL: {url}", "webhook_endpoint[url]", "url_invalid")
    if params.get("enabled_events") == []:
        raise missing_parameter("enabled_events")
    for name in params.get("enabled_events", []):
        if name != "*" and not (is_thin_event(name) if payload == "thin" else name in _snapshots()):
            raise invalid(f"Invalid enabled_events: {name} is no event with a {payload} payload.", "enabled_events")


@functools.cache
def _snapshots() -> set[str]:
    """Return the types of events that webhook endpoints take, `*` among them."""
    hint = fields_of(params_class("WebhookEndpointCreateParams"))["enabled_events"][0]
    return set(typing.get_args(typing.get_args(hint)[0]))


def _shown(state: State, row: Object, params: Params) -> Object:
    """Return the destination with what `include` asks for: its address; when it is made, its secret."""
    named = {"webhook_endpoint.signing_secret": ("signing_secret", "secret"), "webhook_endpoint.url": ("url", "url")}
    pairs = [named[name] for name in params.get("include", [])]
    included = {name: state.note(row["id"])[known] for name, known in pairs}
    return {**row, "webhook_endpoint": {**row["webhook_endpoint"], **included}}


@api.add(
    "POST",
    PATH + "/{destination}",
    "v2.core.EventDestinationUpdateParams",
    "description enabled_events include metadata name webhook_endpoint",
)
def update(state: State, destination: str, params: Params) -> Object:
    row = state.get(KIND, destination)
    _check(params, row["event_payload"])
    row.update({name: params[name] for name in ("description", "enabled_events", "name") if name in params})
    row.update(metadata=merged(row["metadata"], params), updated=iso(state.now()))
    if "webhook_endpoint" in params:
        state.note(destination)["url"] = params["webhook_endpoint"]["url"]
    return _shown(state, row, params)


@api.add("POST", PATH + "/{destination}/disable", "v2.core.EventDestinationDisableParams")
def disable(state: State, destination: str, params: Params) -> Object:
    row = state.get(KIND, destination)
    row.update(status="disabled", status_details={"disabled": {"reason": "user"}}, updated=iso(state.now()))
    return row


@api.add("POST", PATH + "/{destination}/enable", "v2.core.EventDestinationEnableParams")
def enable(state: State, destination: str, params: Params) -> Object:
    row = state.get(KIND, destination)
    row.update(status="enabled", status_details=None, updated=iso(state.now()))
    return row


@api.add("POST", PATH + "/{destination}/ping", "v2.core.EventDestinationPingParams")
def ping(state: State, destination: str, params: Params) -> Object:
    row = state.get(KIND, destination)
    if row["status"] != "enabled":
        raise invalid(f"The event destination {destination} is disabled: it gets no ping.")
    return thin_events.emit(state, PING, None, row, only_to=destination)


@api.add("GET", PATH + "/{destination}", "v2.core.EventDestinationRetrieveParams", "include")
def retrieve(state: State, destination: str, params: Params) -> Object:
    return _shown(state, state.get(KIND, destination), params)


@api.add("GET", PATH, "v2.core.EventDestinationListParams", "include limit", "page")
def list_all(state: State, params: Params) -> dict[str, Any]:
    limit, skipped = params.get("limit", 20), listing.skipped(params)
    if not 1 <= limit <= MOST:
        raise invalid(f"Invalid integer: {limit}. The limit is between 1 and {MOST}.", "limit")
    rows = list(state.table(KIND).newest_first())
    after = skipped + limit
    asked = "".join(f"&include[{index}]={name}" for index, name in enumerate(params.get("include", [])))
    return {
        "data": [_shown(state, row, params) for row in rows[skipped:after]],
        "next_page_url": f"{PATH}?limit={limit}&page={after}{asked}" if after < len(rows) else None,
        "previous_page_url": f"{PATH}?limit={limit}&page={max(skipped - limit, 0)}{asked}" if skipped else None,
    }


@api.add("DELETE", PATH + "/{destination}", "v2.core.EventDestinationDeleteParams")
def delete(state: State, destination: str, params: Params) -> Object:
    state.get(KIND, destination)
    state.table(KIND).remove(destination)
    return {"id": destination, "object": KIND}

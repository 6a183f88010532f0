"""The API answers a request under /v1/: it checks key, version and idempotency, then finds the route and runs it."""

import base64
import binascii
import hashlib
import json
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote

from .books import clocks
from .errors import ApiError, invalid, not_covered, route_not_covered, unauthorized, unknown_route
from .http import forms, sdk_routes
from .http.contract import validate
from .http.encoding import encoded
from .http.expansion import expand
from .http.messages import Request, Response, refusal
from .http.routing import Route, api
from .people import checkout, payment_links, portal
from .resources import FAMILIES, account, empty, meter_event_streams
from .store import State
from .versions import API_VERSION, is_taken, warning

ROUTED = (*FAMILIES, checkout, payment_links, portal)  # importing them registers their routes; what is empty comes last

empty.register()


KEY_KEPT = 24 * 3600


def answer(state: State, request: Request) -> Response:
    """Answer one request of the API. The caller holds the state's lock."""
    request_id = state.new_id("req", 14)
    state.calls[request.method, request.path] += 1
    try:
        _authorize(state, request)
        response = _once(state, request, request_id)
    except ApiError as error:
        response = refusal(error, request_id)
    finally:
        state.request = {"id": None, "idempotency_key": None}
    response.headers.setdefault("Request-Id", request_id)
    response.headers["Stripe-Version"] = API_VERSION
    response.headers |= warning(state, request.headers)
    if request.method == "POST":
        _tell_of_key(request, response)
    _log(state, request, response, request_id)
    return response


def _tell_of_key(request: Request, response: Response) -> None:
    """Add the headers that answers to writes have: the key, the request that was answered first, whether to try
    again."""
    key = request.headers.get("idempotency-key")
    if key:
        response.headers["Idempotency-Key"] = key
        response.headers.setdefault("Original-Request", response.headers["Request-Id"])
    if response.status >= 400:
        response.headers.setdefault("Stripe-Should-Retry", "true" if response.status in (409, 429) else "false")


def _log(state: State, request: Request, response: Response, request_id: str) -> None:
    """Log the call, for the page that shows the latest ones."""
    named = {"id": request_id, "at": state.now(), "method": request.method, "path": request.path}
    state.log.append({**named, "query": request.query, "body": request.body, "response": response})


def _authorize(state: State, request: Request) -> None:
    headers = request.headers
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
        )
    if request.path == meter_event_streams.STREAM:
        meter_event_streams.check_session(state, key)
    elif key.startswith("pk_"):
        raise unauthorized(
            "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list "
            "of your API keys at https://dashboard.stripe.com/account/apikeys."
        )
    elif not key.startswith(("sk_test_", "rk_test_")):
        raise unauthorized(f"Invalid API Key provided: {key[:8]}***{key[-4:]}. The sandbox takes any sk_test_… key.")
    if headers.get("stripe-account", account.id_of(state)) != account.id_of(state):
        raise not_covered("Stripe-Account (a connected account's)")
    version = headers.get("stripe-version", API_VERSION)
    if not is_taken(state, version):
        raise invalid(
            f"Invalid Stripe API version: {version}. This sandbox speaks {API_VERSION}; started with --any-version it "
            "answers clients of other versions in that one."
        )


def _once(state: State, request: Request, request_id: str) -> Response:
    """Perform a write with an idempotency key once: keep its answer, and give it again."""
    key = request.headers.get("idempotency-key")
    state.request = {"id": request_id, "idempotency_key": key}
    if request.method != "POST" or not key:
        return _perform(state, request)
    if len(key) > 255:
        raise ApiError(400, "Idempotency keys can be up to 255 characters long.", "idempotency_error")
    digest = _digest(request)
    _forget_old_answers(state)
    known = state.answers.get(key)
    if known is not None:
        return _replay(known, digest, key)
    response = _perform_or_decline(state, request, request_id)
    state.answers[key] = {
        "digest": digest,
        "status": response.status,
        "body": response.body.decode(),
        "request": request_id,
        "at": state.now(),
    }
    return response


def _digest(request: Request) -> str:
    """Return a digest of the path and the parameters, in whatever order and encoding they came."""
    given = _given(request)
    return hashlib.sha256(json.dumps([request.path, given], sort_keys=True).encode()).hexdigest()


def _forget_old_answers(state: State) -> None:
    """Drop idempotency keys after 24 hours; they are stored in the order in which they came."""
    while state.answers:
        oldest = next(iter(state.answers))
        if state.now() - state.answers[oldest].get("at", 0) < KEY_KEPT:
            break
        del state.answers[oldest]


def in_use(key: str) -> ApiError:
    """Refuse the second of two simultaneous requests with one key; the client tries it again."""
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        "idempotency_error",
        code="idempotency_key_in_use",
    )


def _perform_or_decline(state: State, request: Request, request_id: str) -> Response:
    """Perform the request; keep a declined card as its outcome, but raise for a refused request."""
    try:
        return _perform(state, request)
    except ApiError as error:
        if error.status != 402:
            raise
        return refusal(error, request_id)


def _replay(known: dict[str, Any], digest: str, key: str) -> Response:
    if known["digest"] != digest:
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request.",
            "idempotency_error",
        )
    headers = {"Idempotent-Replayed": "true", "Original-Request": known["request"], "Request-Id": known["request"]}
    return Response(known["status"], known["body"].encode(), headers)


def _perform(state: State, request: Request) -> Response:
    found = api.find(request.method, request.path)
    if found is None:
        is_stripes = sdk_routes.is_known(request.method, request.path)
        raise (route_not_covered if is_stripes else unknown_route)(request.method, request.path)
    route, names = found
    params = _params(request, route)
    paths = params.pop("expand", [])
    arguments = {name: unquote(value) for name, value in names.items()}
    result = _handled(state, request, route, params, arguments)
    if isinstance(result, Response):
        return result
    return Response(200, encoded(expand(state, result, paths)))


def _handled(
    state: State, request: Request, route: Route, params: dict[str, Any], arguments: dict[str, str]
) -> dict[str, Any] | Response:
    """Return what the route's function makes of the request. A write may be undone, and happens in the time of a test
    clock."""
    if request.method == "GET":
        return route.handler(state, params=params, **arguments)
    with _undone_if_refused(state, request), clocks.within(state, _clock_of(state, request, params, arguments)):
        return route.handler(state, params=params, **arguments)


def _undone_if_refused(state: State, request: Request) -> AbstractContextManager[None]:
    """Undo a write that is refused. A declined payment is an outcome, and is kept; a declined card that was to be
    attached leaves nothing."""
    attaches = request.path.startswith("/v1/customers") or request.path.endswith("/attach")

    def is_outcome(error: Exception) -> bool:
        return getattr(error, "is_outcome", False) or (getattr(error, "status", 500) == 402 and not attaches)

    return state.undone_if_refused(is_outcome)


def _clock_of(state: State, request: Request, params: dict[str, Any], arguments: dict[str, str]) -> str | None:
    """Return the test clock in whose time a write happens."""
    if request.path.startswith("/v1/test_helpers/"):
        return None
    return clocks.of(state, [*arguments.values(), *params.values()])


def _text(request: Request) -> str:
    try:
        return "&".join(part for part in (request.query, request.body.decode()) if part)
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8 form data.") from None


def _given(request: Request) -> dict[str, Any]:
    """Return the parameters as they came: form-encoded, and in a body of version 2 as JSON."""
    is_json = "json" in request.headers.get("content-type", "") and bool(request.body)
    if not is_json:
        return forms.decode(_text(request))
    if not request.path.startswith("/v2/"):
        raise invalid("The API takes form-encoded parameters (Content-Type: application/x-www-form-urlencoded).")
    try:
        given = json.loads(request.body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise invalid("The request body is not a JSON object.")
    return given


def _params(request: Request, route: Route) -> dict[str, Any]:
    given = _given(request)
    params = validate(given, route.params, route.covered, route.tolerated)
    if route.pattern.startswith("/v2/") and "page" in given:
        params["page"] = given["page"]
    return params

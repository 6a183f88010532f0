"""A parameter acts where the same request, with it and without it, has two outcomes.

The request is made twice, each time in a copy of the state as it was. What is answered, kept, told and due is
compared at once, and again when weeks and then a year have passed in both copies; of a read, only at once.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from stripe_sandbox import api, saving
from stripe_sandbox.books import billing_cycle
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http.messages import Request, refusal
from stripe_sandbox.http.routing import Route
from stripe_sandbox.store import Clock, State

DAY = 86_400
LATER = (40 * DAY, 400 * DAY)
PERFORM = api._perform
Params = dict[str, Any]


class Still(Clock):
    """This clock moves only when it is moved, so that two copies are not a second apart."""

    def __init__(self, instant: int) -> None:
        super().__init__()
        self.instant = instant

    def now(self) -> int:
        return self.standing if self.standing is not None else self.instant

    def move_to(self, instant: int) -> None:
        self.instant = instant


def sent(route: Route, params: Params, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names among `params` that the route covers."""
    for name, value in params.items():
        if prefix + name in route.covered:
            yield prefix + name
        else:
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict):
                    yield from sent(route, entry, f"{prefix}{name}.")


def acts(state: State, request: Request, dotted: str) -> bool:
    """Return whether it makes a difference, now or later, that the request has the parameter."""
    document, instant = saving.document(state), state.now()
    outcomes = [
        Outcome(copied(state, document, instant), with_params(request, params))
        for params in (api._given(request), without(api._given(request), dotted.split(".")))
    ]
    if len({outcome.seen() for outcome in outcomes}) == 2:
        return True
    for seconds in LATER if request.method != "GET" else ():
        for outcome in outcomes:
            outcome.pass_time(seconds)
        if len({outcome.seen() for outcome in outcomes}) == 2:
            return True
    return False


def copied(state: State, document: str, instant: int) -> State:
    copy = saving.restored(json.loads(document))
    copy.clock = Still(instant)
    copy.base_url, copy.any_version = state.base_url, state.any_version
    copy.request = dict(state.request)
    return copy


class Outcome:
    """This is what comes of a request."""

    def __init__(self, state: State, request: Request) -> None:
        self.state = state
        try:
            self.answer = PERFORM(state, request).body
        except ApiError as error:
            self.answer = refusal(error, "req_tried").body

    def pass_time(self, seconds: int) -> None:
        billing_cycle.advance(self.state, self.state.now() + seconds)

    def seen(self) -> tuple[bytes, str]:
        return self.answer, saving.document(self.state)


def without(given: Params, path: list[str]) -> Params:
    """Return what is given, as it came, less a parameter; of a list, less that of each entry."""
    head, *rest = path
    if not rest:
        return {name: value for name, value in given.items() if name != head}
    return {name: _inside(value, rest) if name == head else value for name, value in given.items()}


def _inside(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_inside(entry, path) for entry in value]
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return {key: _inside(entry, path) for key, entry in value.items()}
    return without(value, path)


def with_params(request: Request, params: Params) -> Request:
    """Return the request with these parameters, and nothing expanded."""
    params = {name: value for name, value in params.items() if name != "expand"}
    if "json" in request.headers.get("content-type", ""):
        return Request(request.method, request.path, request.query, request.headers, json.dumps(params).encode())
    encoded = urlencode(list(_flat(params)))
    if request.method == "GET":
        return Request(request.method, request.path, encoded, request.headers)
    return Request(request.method, request.path, "", request.headers, encoded.encode())


def _flat(params: Params, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        full = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict):
            yield from _flat(value, full)
        else:
            yield full, value

"""The official SDK drives every route of the sandbox, and the strict checker finds nothing in any answer."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox
from stripe_sandbox.http.routing import api
from stripe_sandbox.http.shapes import problems

from .sdk_story import CALLS, Answers, tell

UNPAGED = {"data", "next_page_url", "previous_page_url"}
PAGED = {
    "list": {"object", "data", "has_more", "url"},
    "search_result": {"object", "data", "has_more", "next_page", "url"},
}


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Sandbox, Answers]]:
    with Sandbox(port=0, seed=7) as sandbox:
        yield sandbox, tell(sandbox)


@pytest.mark.parametrize("name", CALLS)
def test_the_answer_has_the_shape_that_stripe_says_it_has(told: tuple[Sandbox, Answers], name: str) -> None:
    answer = told[1][name]
    body = getattr(answer, "last_response", answer).data
    if body.get("object") in PAGED:
        assert body.keys() == PAGED[body["object"]]
        assert [problem for row in body["data"] for problem in problems(row)] == []
    elif body.keys() == {"id", "object"}:
        assert name == "v2.core.event_destinations.delete"
    elif "object" in body:
        assert problems(body) == []
    else:
        assert body.keys() == UNPAGED


def test_every_route_is_driven(told: tuple[Sandbox, Answers]) -> None:
    sandbox, _ = told
    asked = [api.find(method, path) for method, path in sandbox.state.calls]
    driven = {(found[0].method, found[0].pattern) for found in asked if found}
    known = {(route.method, route.pattern) for route in api.routes}
    assert sorted(known - driven) == []


def test_every_call_is_named_as_the_sdk_names_it() -> None:
    client = stripe.StripeClient("sk_test_x")
    for name in CALLS:
        found: Any = client
        path, _, _ = name.partition(" ")
        for part in (path if path.startswith(("v2.", "raw_request")) else f"v1.{path}").split("."):
            found = getattr(found, part)
        assert callable(found), name

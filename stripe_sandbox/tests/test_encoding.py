"""What an answer costs is held as counts, which are the same on a busy machine: objects encoded, functions called."""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from stripe_sandbox import Sandbox, seeding
from stripe_sandbox.http import encoding
from stripe_sandbox.http.encoding import Encoder
from stripe_sandbox.http.messages import Request

KEY = {"authorization": "Bearer sk_test_any", "host": "127.0.0.1"}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the list of objects that are encoded from now on."""
    done: list[Any] = []
    plain = encoding.plain

    def seen(value: Any) -> str:
        if isinstance(value, dict):
            done.append(value)
        return plain(value)

    monkeypatch.setattr(encoding, "plain", seen)
    return done


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"cus_{number}", "object": "customer", "metadata": {}, **fields}


def test_an_object_is_encoded_once_until_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, done, ada = Encoder(), counted(monkeypatch), row(1, name="Ada")
    assert encoder.encoded(ada) == encoder.encoded(ada) == json.dumps(ada).encode()
    assert len(done) == 1
    ada["metadata"]["plan"] = "pro"
    assert json.loads(encoder.encoded(ada)) == ada
    assert len(done) == 2


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (1, 1.0), ("1", 1), (None, "None"), ([], {})])
def test_a_value_that_only_looks_the_same_is_encoded_anew(before: Any, after: Any) -> None:
    encoder = Encoder()
    encoder.encoded(row(1, value=before))
    assert encoder.encoded(row(1, value=after)) == json.dumps(row(1, value=after)).encode()


@pytest.mark.parametrize("kind", ["list", "search_result"])
def test_a_page_is_what_json_makes_of_it(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    rows = [row(number, name='"data": []', nested={"object": "list", "data": [1]}) for number in range(12)]
    page = {"object": kind, "data": rows, "has_more": False, "url": '/v1/customers?a="data": []'}
    encoder, done = Encoder(), counted(monkeypatch)
    for _ in range(2):
        assert encoder.encoded(page) == json.dumps(page).encode()
    assert len(done) == 12
    assert encoder.encoded({**page, "data": []}) == json.dumps({**page, "data": []}).encode()


def test_an_embedded_list_is_cut_wherever_the_object_stands() -> None:
    ada = row(1, items={"object": "list", "data": [row(number) for number in range(12)], "has_more": False})
    encoder = Encoder()
    alone = json.loads(encoder.encoded(ada))
    assert (len(alone["items"]["data"]), alone["items"]["has_more"]) == (10, True)
    assert json.loads(encoder.encoded({"object": "list", "data": [ada]}))["data"] == [alone]


def test_no_more_is_kept_than_asked_for() -> None:
    encoder = Encoder(most=3)
    for number in range(10):
        encoder.encoded(row(number))
    assert list(encoder.kept) == ["cus_7", "cus_8", "cus_9"]


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions are called, those of C too."""
    found = 0

    def saw(frame: object, event: str, argument: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    work()  # the first time fills caches
    before = sys.getprofile()
    sys.setprofile(saw)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


@pytest.fixture
def seeded() -> Sandbox:
    sandbox = Sandbox(port=0, seed=1)
    seeding.seed(sandbox.state, 100, 100, 0)
    return sandbox


def test_what_is_read_again_costs_half_as_many_calls(seeded: Sandbox) -> None:
    """They were 236 and 9,359 while every answer was encoded anew."""
    sub = next(iter(seeded.state.table("subscription").rows))
    assert calls_of(lambda: seeded.handle(Request("GET", f"/v1/subscriptions/{sub}", "", KEY))) <= 130
    assert calls_of(lambda: seeded.handle(Request("GET", "/v1/subscriptions", "limit=100", KEY))) <= 1_700


def test_a_seeded_subscription_costs_as_many_calls_as_it_did(seeded: Sandbox) -> None:
    few, many = (calls_of(partial(seeding.seed, seeded.state, number, number, 0)) for number in (100, 200))
    assert (many - few) / 100 <= 350

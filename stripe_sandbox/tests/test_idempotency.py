"""Idempotency keys are kept for a day, and are not used twice at a time."""

from concurrent.futures import ThreadPoolExecutor

import stripe

from stripe_sandbox import Sandbox

from .conftest import Control
from .test_api import raw


def test_a_key_is_forgotten_after_a_day(client: stripe.StripeClient, control: Control) -> None:
    first = client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k"})
    control("/advance", {"seconds": 24 * 3600 - 60})
    assert client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k"}).id == first.id
    control("/advance", {"seconds": 120})
    assert client.v1.customers.create({"email": "b@example.com"}, {"idempotency_key": "k"}).id != first.id


def test_a_key_in_use_is_refused(sandbox: Sandbox, control: Control) -> None:
    control("/faults", {"api": {"latency_ms": 400}})
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(raw, sandbox, "POST", "/v1/customers", "name=A", Idempotency_Key="k") for _ in range(2)]
        answers = sorted((each.result() for each in asked), key=lambda answer: answer[0])
    assert [status for status, _, _ in answers] == [200, 409]
    assert answers[1][1]["error"]["code"] == "idempotency_key_in_use"

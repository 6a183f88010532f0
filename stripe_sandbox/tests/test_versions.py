"""Clients and SDKs of other API versions: refused, or answered in the sandbox's own version with a warning."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox, versions
from stripe_sandbox.running import described

OLDER = "2024-06-20"


@pytest.fixture
def open_sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, any_version=True) as sandbox:
        yield sandbox


def client_of(sandbox: Sandbox, version: str) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_x", stripe_version=version, base_addresses={"api": sandbox.url})


def headers_of(answered: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in answered.last_response.headers.items()}


def test_another_version_is_refused_and_the_refusal_names_the_option(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="--any-version"):
        client_of(sandbox, OLDER).v1.customers.create({"email": "ada@example.com"})
    assert sandbox.state.table("customer").order == []


def test_with_any_version_it_is_answered_in_the_sandboxs_own(open_sandbox: Sandbox) -> None:
    customer = client_of(open_sandbox, OLDER).v1.customers.create({"email": "ada@example.com"})
    headers = headers_of(customer)
    assert headers["stripe-version"] == versions.API_VERSION
    assert headers["sandbox-warning"] == f"asked for {OLDER}; answered in {versions.API_VERSION}"


def test_the_pinned_version_is_answered_without_a_warning(open_sandbox: Sandbox) -> None:
    customer = client_of(open_sandbox, versions.API_VERSION).v1.customers.create({"email": "ada@example.com"})
    assert "sandbox-warning" not in headers_of(customer)


def test_the_log_names_each_other_version_once(open_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "stripe_sandbox"):
        for version in (OLDER, versions.API_VERSION, OLDER, "2023-10-16"):
            client_of(open_sandbox, version).v1.customers.list()
    assert [message.split(".")[0] for message in caplog.messages] == [
        f"A client asked for {OLDER}",
        "A client asked for 2023-10-16",
    ]


def test_a_reset_keeps_the_choice(open_sandbox: Sandbox) -> None:
    with open_sandbox.lock:
        open_sandbox.reset("1", None)
    assert client_of(open_sandbox, OLDER).v1.customers.list().data == []


def test_a_webhook_endpoint_may_ask_for_another_version_only_then(sandbox: Sandbox, open_sandbox: Sandbox) -> None:
    wanted: Any = {"url": "https://example.com/hook", "enabled_events": ["*"], "api_version": OLDER}
    with pytest.raises(stripe.InvalidRequestError, match="--any-version"):
        client_of(sandbox, versions.API_VERSION).v1.webhook_endpoints.create(wanted)
    made = client_of(open_sandbox, versions.API_VERSION).v1.webhook_endpoints.create(wanted)
    assert made.api_version == versions.API_VERSION


def test_an_sdk_of_another_version_is_named_at_the_start() -> None:
    told = versions.sdk_differs("2026-09-30.endive")
    assert "2026-09-30.endive" in told
    assert versions.API_VERSION in told
    assert versions.sdk_differs(versions.API_VERSION) == ""


def test_the_start_says_which_version_is_spoken(sandbox: Sandbox, open_sandbox: Sandbox) -> None:
    assert described(sandbox).endswith(f" {versions.API_VERSION}")
    assert described(open_sandbox).endswith(f" {versions.API_VERSION}, clients of any other too")

"""Deliveries: signed, tried again, counted; and the faults of the network."""

import collections
import itertools
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox
from stripe_sandbox.versions import API_VERSION

from .conftest import SECRET, Control, Receiver


@pytest.fixture(autouse=True)
def quick_retries(control: Control) -> None:
    control("/settings", {"delivery_retry_seconds": [0.05, 0.05]})


def test_a_delivery_is_signed_as_the_sdk_expects(forwarding: Receiver, control: Control, customer: Any) -> None:
    control("/settle")
    headers, body = forwarding.received[0]
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
    assert (event.type, event.data.object.id) == ("customer.created", customer.id)
    assert (event.api_version, event.livemode) == (API_VERSION, False)


def test_an_event_keeps_its_object_as_it_was(client: stripe.StripeClient, customer: Any) -> None:
    client.v1.customers.update(customer.id, {"name": "Alice B."})
    created, updated = (
        client.v1.events.list({"type": kind}).data[0] for kind in ("customer.created", "customer.updated")
    )
    assert (created.data.object.name, updated.data.object.name) == ("Alice", "Alice B.")
    assert updated.data.previous_attributes.to_dict() == {"name": "Alice"}


def test_a_refused_delivery_is_tried_again_until_taken(
    client: stripe.StripeClient, forwarding: Receiver, control: Control
) -> None:
    forwarding.answers = [500, 302, 200]
    client.v1.customers.create({"email": "a@example.com"})
    control("/settle")
    log = control("/deliveries", method="GET")["data"]
    assert [(row["attempt"], row["status"]) for row in log] == [(1, 500), (2, 302), (3, 200)]
    assert client.v1.events.list().data[0].pending_webhooks == 0


def test_an_event_that_never_arrives_is_found_by_delivery_success(
    client: stripe.StripeClient, forwarding: Receiver, control: Control
) -> None:
    forwarding.answers = [500, 500, 500]
    lost = client.v1.customers.create({"email": "a@example.com"})
    control("/settle")
    client.v1.customers.create({"email": "b@example.com"})
    control("/settle")
    missed = client.v1.events.list({"delivery_success": False}).data
    assert [event.data.object.id for event in missed] == [lost.id]
    control("/deliver", {"event": missed[0].id})
    control("/settle")
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_everything_twice_and_in_another_order(
    forwarding: Receiver, control: Control, checkout: Any, sandbox: Sandbox
) -> None:
    control("/settle")
    forwarding.received.clear()
    control("/faults", {"webhooks": {"duplicate": 1.0, "shuffle": 1.0}})
    control(f"/checkout/{checkout().id}/complete")
    assert control("/settle")["pending"] == 0
    ids = [event["id"] for event in forwarding.events()]
    made = list(sandbox.state.table("event").rows)[-12:]
    assert set(collections.Counter(ids).values()) == {2}
    assert sorted(set(ids)) == sorted(made)
    assert all(one != other for one, other in itertools.pairwise(ids))
    assert ids[:12] != made


def test_a_dropped_delivery_leaves_its_event_undelivered(
    client: stripe.StripeClient, forwarding: Receiver, control: Control
) -> None:
    control("/faults", {"webhooks": {"drop": 1}})
    client.v1.customers.create({"email": "a@example.com"})
    client.v1.customers.create({"email": "b@example.com"})
    control("/settle")
    assert len(forwarding.received) == 1
    assert len(client.v1.events.list({"delivery_success": False}).data) == 1


@pytest.mark.parametrize("fault", ["stale_signature", "bad_signature"])
def test_a_spoilt_signature_is_refused_by_the_sdk(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, fault: str
) -> None:
    control("/faults", {"webhooks": {fault: 1}})
    client.v1.customers.create({"email": "a@example.com"})
    control("/settle")
    headers, body = forwarding.received[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)


def test_an_endpoint_gets_the_types_it_wants_signed_with_its_secret(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.updated"]})
    person = client.v1.customers.create({"email": "a@example.com"})
    client.v1.customers.update(person.id, {"email": "b@example.com"})
    control("/settle")
    assert receiver.types() == ["customer.updated"]
    headers, body = receiver.received[0]
    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], endpoint.secret)
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id).to_dict()
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    client.v1.customers.update(person.id, {"email": "c@example.com"})
    control("/settle")
    assert len(receiver.received) == 1
    assert client.v1.webhook_endpoints.delete(endpoint.id).deleted


def test_a_lost_answer_was_applied_and_its_replay_does_not_apply_it_twice(
    sandbox: Sandbox, client: stripe.StripeClient, control: Control
) -> None:
    control("/faults", {"api": {"lose_answer": 1}})
    retrying = stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url}, max_network_retries=2)
    made = retrying.v1.customers.create({"email": "a@example.com"})
    assert [row.id for row in client.v1.customers.list().data] == [made.id]


def test_failing_requests_say_when_to_try_again(client: stripe.StripeClient, control: Control) -> None:
    control("/faults", {"api": {"fail_next": 1, "status": 429, "retry_after": 3}})
    with pytest.raises(stripe.RateLimitError) as refused:
        client.v1.customers.create({"email": "a@example.com"})
    assert refused.value.headers["Retry-After"] == "3"
    assert client.v1.customers.list().data == []


def test_events_are_kept_for_30_days_of_the_sandboxs_clock(client: stripe.StripeClient, control: Control) -> None:
    client.v1.customers.create({"email": "old@example.com"})
    old = client.v1.events.list().data[0].id
    control("/advance", {"seconds": 29 * 86400})
    assert client.v1.events.retrieve(old).id == old
    control("/advance", {"seconds": 2 * 86400})
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.retrieve(old)


def test_pending_webhooks_counts_the_targets_that_have_not_taken_the_event(
    client: stripe.StripeClient, forwarding: Receiver, control: Control
) -> None:
    forwarding.answers = [500] * 10
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    client.v1.customers.create({"email": "a@example.com"})
    assert client.v1.events.list().data[0].pending_webhooks == 2
    control("/settle")
    forwarding.answers.clear()
    control("/deliver", {"event": client.v1.events.list().data[0].id})
    control("/settle")
    assert client.v1.events.list().data[0].pending_webhooks == 1
    assert len(client.v1.events.list({"delivery_success": False}).data) == 1
    assert client.v1.events.list({"delivery_success": True}).data == []


@pytest.mark.parametrize("path", ["/ü", "/a\x7fb", "/%zz"])
def test_an_address_that_cannot_be_posted_to_stops_no_other_delivery(
    sandbox: Sandbox, client: stripe.StripeClient, control: Control, receiver: Receiver, path: str
) -> None:
    for url in (f"http://127.0.0.1:9{path}", receiver.url):
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})
    for _ in range(2):
        client.v1.customers.create({})
        assert control("/settle", {"timeout": 5})["pending"] == 0
    assert receiver.types() == ["customer.created"] * 2
    log = control("/deliveries", method="GET")["data"]
    failed = [row for row in log if row["url"].startswith("http://127.0.0.1:9")]
    assert [row["attempt"] for row in failed] == [1, 2, 3, 1, 2, 3]
    assert all(row["error"] for row in failed)


@pytest.mark.parametrize(
    "url", ["http://[::1/", "http://x y/", "http:///hook", "http://x:99999/", "http://x/\r\nHost: y"]
)
def test_what_is_no_address_is_refused(client: stripe.StripeClient, url: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    assert refused.value.code == "url_invalid"


def restarted(state: Any, receiver: Receiver, answers: list[int], retries: list[float]) -> Sandbox:
    """Return a sandbox started anew after one whose receiver answered so to an event."""
    kept: dict[str, Any] = {"forward": receiver.url, "webhook_secret": SECRET, "state_file": state}
    receiver.answers = answers
    with Sandbox(port=0, seed=7, **kept) as before:
        before.state.settings["delivery_retry_seconds"] = retries
        client = stripe.StripeClient(before.key, base_addresses={"api": before.url})
        client.v1.customers.create({"email": "ada@example.com"})
        before.dispatcher.settle(0.3 if retries and retries[0] > 1 else 5)
    return Sandbox(port=0, **kept)


def test_what_was_not_delivered_before_a_restart_is_delivered_after_it(receiver: Receiver, tmp_path: Any) -> None:
    with restarted(tmp_path / "state.json", receiver, [500], [60]) as after:
        assert after.dispatcher.settle(5) == 0
        assert receiver.types() == ["customer.created"] * 2
        assert after.events()[0]["pending_webhooks"] == 0


def test_what_was_delivered_or_given_up_before_a_restart_is_not_delivered_again(
    receiver: Receiver, tmp_path: Any
) -> None:
    with restarted(tmp_path / "taken.json", receiver, [200], [60]) as after:
        assert after.dispatcher.settle(5) == 0
    with restarted(tmp_path / "lost.json", receiver, [500, 500], [0.05]) as after:
        assert after.dispatcher.settle(5) == 0
    assert receiver.types() == ["customer.created"] * 3

"""Event destinations are made, changed and pinged, and get the events that they are for."""

from typing import Any

import pytest
import stripe
from stripe.events import V2CoreEventDestinationPingEventNotification as Ping

from stripe_sandbox.versions import API_VERSION

from .conftest import SECRET, Checked, Control, Receiver

URL: Any = "webhook_endpoint.url"


@pytest.fixture
def destinations(client: stripe.StripeClient) -> Any:
    return client.v2.core.event_destinations


def asked(receiver: Receiver, **more: Any) -> Any:
    return {
        "name": "Ours",
        "type": "webhook_endpoint",
        "event_payload": "snapshot",
        "enabled_events": ["customer.created"],
        "webhook_endpoint": {"url": receiver.url},
        **more,
    }


def test_a_destination_shows_its_secret_once_and_its_address_when_asked_for(
    destinations: Any, receiver: Receiver
) -> None:
    both = ["webhook_endpoint.signing_secret", URL]
    more: Any = {"description": "For us", "metadata": {"a": "b"}, "events_from": ["@self"], "include": both}
    made = destinations.create(asked(receiver, **more))
    assert (made.status, made.description, made.metadata.to_dict(), made.events_from) == (
        "enabled", "For us", {"a": "b"}, ["@self"],
    )  # fmt: skip
    assert (made.webhook_endpoint.url, made.webhook_endpoint.signing_secret[:6]) == (receiver.url, "whsec_")
    again = destinations.retrieve(made.id)
    assert (again.webhook_endpoint.url, again.webhook_endpoint.signing_secret) == (None, None)
    assert destinations.retrieve(made.id, {"include": [URL]}).webhook_endpoint.url == receiver.url
    assert destinations.list({"include": [URL]}).data[0].webhook_endpoint.url == receiver.url


def test_snapshots_are_delivered_signed_as_to_a_webhook_endpoint(
    client: stripe.StripeClient, destinations: Any, receiver: Receiver, control: Control
) -> None:
    made = destinations.create(asked(receiver, include=["webhook_endpoint.signing_secret"]))
    person = client.v1.customers.create({"email": "a@example.com"})
    client.v1.customers.update(person.id, {"email": "b@example.com"})
    control("/settle")
    assert receiver.types() == ["customer.created"]
    headers, body = receiver.received[0]
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], made.webhook_endpoint.signing_secret)
    assert event.data.object["email"] == "a@example.com"

    destinations.update(made.id, {"enabled_events": ["customer.deleted"], "name": "Yours"})
    client.v1.customers.delete(person.id)
    control("/settle")
    assert receiver.types() == ["customer.created", "customer.deleted"]
    assert destinations.retrieve(made.id).name == "Yours"


def test_a_disabled_destination_gets_nothing_until_it_is_enabled(
    client: stripe.StripeClient, destinations: Any, receiver: Receiver, control: Control
) -> None:
    made = destinations.create(asked(receiver))
    gone = destinations.disable(made.id)
    assert (gone.status, gone.status_details.disabled.reason) == ("disabled", "user")
    client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="is disabled"):
        destinations.ping(made.id)
    assert destinations.enable(made.id).status_details is None
    client.v1.customers.create({})
    destinations.delete(made.id)
    client.v1.customers.create({})
    control("/settle")
    assert receiver.types() == ["customer.created"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        destinations.retrieve(made.id)
    assert refused.value.http_status == 404


def test_a_ping_is_a_thin_event_for_one_destination(
    client: stripe.StripeClient, destinations: Any, receiver: Receiver, control: Control, sandbox: Checked
) -> None:
    thin: Any = {"event_payload": "thin", "enabled_events": ["*"], "include": ["webhook_endpoint.signing_secret"]}
    made = destinations.create(asked(receiver, **thin))
    destinations.create(asked(receiver, **thin))
    sandbox.state.forward = receiver.url
    event = destinations.ping(made.id)
    assert (event.type, event.related_object.id) == ("v2.core.event_destination.ping", made.id)
    assert client.v2.core.events.retrieve(event.id).id == event.id
    control("/settle")
    (headers, body) = receiver.received[0]
    secret = made.webhook_endpoint.signing_secret
    said = client.parse_event_notification(body, headers["Stripe-Signature"], secret)
    assert (len(receiver.received), isinstance(said, Ping)) == (1, True)
    assert said.fetch_related_object().id == made.id
    with pytest.raises(stripe.SignatureVerificationError):
        client.parse_event_notification(body, headers["Stripe-Signature"], SECRET)


def test_a_thin_destination_gets_no_snapshots(
    client: stripe.StripeClient, destinations: Any, receiver: Receiver, control: Control
) -> None:
    destinations.create(asked(receiver, event_payload="thin", enabled_events=["*"]))
    client.v1.customers.create({})
    control("/settle")
    assert receiver.received == []


def test_a_new_address_gets_what_comes_then(
    client: stripe.StripeClient, destinations: Any, receiver: Receiver, control: Control
) -> None:
    made = destinations.create(asked(receiver, webhook_endpoint={"url": "http://127.0.0.1:9/"}))
    changed = destinations.update(
        made.id,
        {"webhook_endpoint": {"url": receiver.url}, "include": [URL], "description": "Moved", "metadata": {"a": "1"}},
    )
    assert (changed.webhook_endpoint.url, changed.description, changed.metadata.to_dict()) == (
        receiver.url, "Moved", {"a": "1"},
    )  # fmt: skip
    client.v1.customers.create({})
    control("/settle")
    assert receiver.types() == ["customer.created"]


def test_destinations_are_listed_page_by_page(destinations: Any, receiver: Receiver) -> None:
    made = [destinations.create(asked(receiver, name=f"No. {number}")).id for number in range(5)]
    first = destinations.list({"limit": 2})
    assert ([row.id for row in first.data], first.previous_page_url) == (made[:2:-1], None)
    assert [row.id for row in first.auto_paging_iter()] == made[::-1]


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"enabled_events": ["customer.eaten"]}, "enabled_events", None),
        ({"enabled_events": ["v1.billing.meter.no_meter_found"]}, "enabled_events", None),
        ({"event_payload": "thin"}, "enabled_events", None),
        ({"event_payload": "thin", "enabled_events": ["v1.nonsense"]}, "enabled_events", None),
        ({"enabled_events": []}, "enabled_events", "parameter_missing"),
        ({"webhook_endpoint": {"url": "ftp://x"}}, "webhook_endpoint[url]", "url_invalid"),
        ({"snapshot_api_version": "2020-08-27"}, "snapshot_api_version", None),
        (
            {"event_payload": "thin", "enabled_events": ["*"], "snapshot_api_version": API_VERSION},
            "snapshot_api_version",
            None,
        ),
        ({"type": "amazon_eventbridge"}, "type=amazon_eventbridge", "sandbox_not_covered"),
        ({"events_from": ["@accounts"]}, "events_from (of others)", "sandbox_not_covered"),
    ],
)
def test_what_a_destination_cannot_be_for_is_refused(
    destinations: Any, receiver: Receiver, more: Any, param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        destinations.create(asked(receiver, **more))
    assert (refused.value.param, refused.value.code) == (param, code)

"""Events that cannot be counted are reported by thin events, which are delivered, listed and read."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from stripe.events import V1BillingMeterErrorReportTriggeredEventNotification as ErrorReport

from stripe_sandbox import Sandbox

from .conftest import SECRET, Control, Receiver
from .metered import DAY, Shop, shop

__all__ = ["shop"]


@pytest.fixture
def thin(sandbox: Sandbox, receiver: Receiver) -> Receiver:
    sandbox.forward_thin = sandbox.state.forward_thin = receiver.url
    return receiver


def send(shop: Shop, name: str = "tokens", key: str | None = None, **payload: str) -> Any:
    options: Any = {"idempotency_key": key} if key else None
    return shop.client.v1.billing.meter_events.create({"event_name": name, "payload": payload}, options)


def events(shop: Shop, **asked: Any) -> list[Any]:
    return list(shop.client.v2.core.events.list({"limit": 100, **asked}).data)


def test_a_report_is_delivered_signed_and_leads_to_its_data_and_its_meter(
    shop: Shop, thin: Receiver, control: Control
) -> None:
    customer = shop.subscriber()
    send(shop, key="5a2b", value="5")
    send(shop, stripe_customer_id="cus_nobody", value="5")
    send(shop, stripe_customer_id=customer.id, value="many")
    send(shop, stripe_customer_id=customer.id)
    send(shop, stripe_customer_id=customer.id, value="1" * 16)
    shop.control("/advance", {"seconds": 15})
    control("/settle")
    (headers, body) = thin.received[-1]
    said = shop.client.parse_event_notification(body, headers["Stripe-Signature"], SECRET)
    assert isinstance(said, ErrorReport)
    assert (said.related_object.id, b'"data"' in body) == (shop.meter.id, False)
    assert said.fetch_related_object().event_name == "tokens"
    told: Any = said.fetch_event()
    reason = told.data.reason
    assert (reason.error_count, told.data.developer_message_summary) == (5, "There are 5 invalid events")
    assert {row.code: row.error_count for row in reason.error_types} == {
        "meter_event_no_customer_defined": 1,
        "meter_event_customer_not_found": 1,
        "meter_event_invalid_value": 2,
        "meter_event_value_too_many_digits": 1,
    }
    sample = reason.error_types[0].sample_errors[0]
    assert sample.error_message == "Customer mapping key stripe_customer_id not found in payload."
    assert sample.to_dict()["request"] == {"identifier": "5a2b"}
    assert told.data.validation_start < told.data.validation_end <= told.created


def test_a_thin_event_goes_to_no_endpoint_of_snapshots(shop: Shop, forwarding: Receiver, control: Control) -> None:
    shop.subscriber()
    send(shop, value="5")
    shop.control("/advance", {"seconds": 15})
    control("/settle")
    assert "customer.created" in forwarding.types()
    assert not [kind for kind in forwarding.types() if kind.startswith("v1.")]
    assert [event.type for event in events(shop)] == ["v1.billing.meter.error_report_triggered"]


def test_a_refused_thin_event_is_tried_again(shop: Shop, thin: Receiver, control: Control) -> None:
    control("/settings", {"delivery_retry_seconds": [0.05]})
    thin.answers = [500]
    send(shop, value="5")
    shop.control("/advance", {"seconds": 15})
    control("/settle")
    assert len({event["id"] for event in thin.events()}) == 1
    assert len(thin.received) == 2
    assert control("/deliver", {"event": thin.events()[0]["id"]})["targets"] == 1
    snapshot = shop.client.v1.events.list().data[0]
    assert control("/deliver", {"event": snapshot.id})["targets"] == 0
    control("/settle")
    assert len(thin.received) == 3


def test_what_counts_for_nobody_is_not_billed(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    send(shop, stripe_customer_id=sub.customer, value="several")
    send(shop, stripe_customer_id="cus_nobody", value="7")
    shop.pass_period(sub)
    assert shop.latest(sub).total == 0


def test_a_stream_takes_everything_and_reports_what_is_wrong(sandbox: Sandbox, shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    old = shop.new_meter("old")
    shop.client.v1.billing.meters.deactivate(old.id)
    session = shop.client.v2.billing.meter_event_session.create()
    stream = stripe.StripeClient(session.authentication_token, base_addresses={"meter_events": sandbox.url})
    payload = {"stripe_customer_id": str(sub.customer), "value": "2"}
    given: Any = [
        {"event_name": "tokens", "payload": payload, "identifier": "once"},
        {"event_name": "tokens", "payload": payload, "identifier": "once"},
        {"event_name": "nobody's", "payload": payload, "identifier": "lost"},
        {"event_name": "old", "payload": payload},
        {"event_name": "tokens", "payload": payload, "timestamp": "2020-01-01T00:00:00Z"},
    ]
    stream.v2.billing.meter_event_stream.create({"events": given}, {"idempotency_key": "batch"})
    shop.control("/advance", {"seconds": 15})
    found = {event.type: event for event in events(shop)}
    lost: Any = found["v1.billing.meter.no_meter_found"]
    assert "related_object" not in lost
    assert lost.data.reason.error_types[0].sample_errors[0].to_dict() == {
        "error_message": "No meter was found matching event_name nobody's.",
        "request": {"identifier": "batch"},
    }
    codes = {row.data.reason.error_types[0].code for row in events(shop, types=[ErrorReport.LOOKUP_TYPE])}
    assert codes == {"archived_meter", "timestamp_too_far_in_past"}
    assert [row.id for row in events(shop, object_id=old.id)] != [
        row.id for row in events(shop, object_id=shop.meter.id)
    ]
    shop.pass_period(sub)
    assert shop.latest(sub).total == 2


def test_a_session_lasts_fifteen_minutes_and_a_key_opens_no_stream(sandbox: Sandbox, shop: Shop) -> None:
    session = shop.client.v2.billing.meter_event_session.create()
    event: Any = {"event_name": "tokens", "payload": {"stripe_customer_id": "cus_x", "value": "1"}}

    def stream(token: str, count: int = 1) -> None:
        client = stripe.StripeClient(token, base_addresses={"meter_events": sandbox.url})
        client.v2.billing.meter_event_stream.create({"events": [event] * count})

    with pytest.raises(stripe.AuthenticationError):
        stream(sandbox.key)
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and 100"):
        stream(session.authentication_token, 101)
    shop.control("/advance", {"seconds": 901})
    with pytest.raises(stripe.TemporarySessionExpiredError):
        stream(session.authentication_token)


def test_version_two_refuses_at_once_what_version_one_reports_later(shop: Shop) -> None:
    customer = shop.subscriber()
    at = datetime.fromtimestamp(shop.now(), UTC).isoformat()
    good: Any = {"event_name": "tokens", "payload": {"stripe_customer_id": customer.id, "value": "5"}}
    sent = shop.client.v2.billing.meter_events.create({**good, "identifier": "two", "timestamp": at})
    assert (sent.object, sent.identifier) == ("v2.billing.meter_event", "two")
    assert sent.timestamp[:19] == at[:19]
    for given, code in (
        ({"event_name": "nobody's"}, "no_meter"),
        ({"payload": {"value": "5"}}, "meter_event_no_customer_defined"),
        ({"payload": {"stripe_customer_id": "cus_nobody", "value": "5"}}, "meter_event_customer_not_found"),
        ({"payload": {"stripe_customer_id": customer.id, "value": "x"}}, "meter_event_invalid_value"),
        ({"timestamp": "2020-01-01T00:00:00Z"}, "timestamp_too_far_in_past"),
        ({"identifier": "two"}, None),
    ):
        asked: Any = {**good, **given}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.client.v2.billing.meter_events.create(asked)
        assert refused.value.code == code
    done = shop.client.v2.billing.meter_event_adjustments.create(
        {"event_name": "tokens", "type": "cancel", "cancel": {"identifier": "two"}}
    )
    assert (done.status, done.cancel.identifier) == ("pending", "two")
    assert events(shop) == []


def test_thin_events_are_listed_by_pages_types_and_times_and_forgotten_after_30_days(shop: Shop) -> None:
    for _ in range(5):
        send(shop, value="5")
        shop.control("/advance", {"seconds": 20})
    everything = events(shop)
    assert [row.created for row in everything] == sorted((row.created for row in everything), reverse=True)
    paged = shop.client.v2.core.events.list({"limit": 2, "types": [ErrorReport.LOOKUP_TYPE]})
    assert [row.id for row in paged.auto_paging_iter()] == [row.id for row in everything]
    between: Any = {"gt": everything[3].created, "lte": everything[1].created}
    assert [row.id for row in events(shop, created=between)] == [row.id for row in everything[1:3]]
    assert [row.id for row in events(shop, created={"gte": everything[0].created})] == [everything[0].id]
    assert [row.id for row in events(shop, created={"lt": everything[3].created})] == [everything[4].id]
    assert events(shop, types=["v1.billing.meter.no_meter_found"]) == []
    shop.control("/advance", {"seconds": 31 * DAY})
    assert events(shop) == []
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v2.core.events.retrieve(everything[0].id)

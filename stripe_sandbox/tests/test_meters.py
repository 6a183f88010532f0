"""Meters, their events with limits and identifiers, adjustments, summaries, and the speed of it."""

import time
from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import ask
from .metered import DAY, Shop, lines, shop

__all__ = ["shop"]


def refusal(call: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        call()
    assert isinstance(refused.value, stripe.InvalidRequestError)
    return refused.value


def test_a_meter_is_made_renamed_switched_off_and_on_again(shop: Shop) -> None:
    meters, meter = shop.client.v1.billing.meters, shop.meter
    assert (meter.customer_mapping.event_payload_key, meter.value_settings.event_payload_key) == (
        "stripe_customer_id",
        "value",
    )
    assert meters.update(meter.id, {"display_name": "Words"}).display_name == "Words"
    off = meters.deactivate(meter.id)
    assert (off.status, bool(off.status_transitions.deactivated_at)) == ("inactive", True)
    assert [row.id for row in meters.list({"status": "inactive"}).data] == [meter.id]
    assert meters.list({"status": "active"}).data == []
    on = meters.reactivate(meter.id)
    assert (on.status, on.status_transitions.deactivated_at, meters.retrieve(meter.id)) == ("active", None, on)
    kinds = [event.type for event in shop.client.v1.events.list({"types": ["billing.meter.*"]}).data]
    assert kinds == [f"billing.meter.{name}" for name in ("reactivated", "deactivated", "updated", "created")]


def test_an_event_name_has_one_active_meter(shop: Shop) -> None:
    assert refusal(lambda: shop.new_meter("tokens")).param == "event_name"
    shop.client.v1.billing.meters.deactivate(shop.meter.id)
    shop.new_meter("tokens")
    assert refusal(lambda: shop.client.v1.billing.meters.reactivate(shop.meter.id)).param == "event_name"


def test_a_meter_reads_customer_and_value_where_it_is_told_to(shop: Shop) -> None:
    keys: Any = {
        "customer_mapping": {"type": "by_id", "event_payload_key": "who"},
        "value_settings": {"event_payload_key": "bytes"},
    }
    meter = shop.new_meter("transfer", **keys)
    sub = shop.subscribed(shop.price(meter, unit_amount=1))
    payload = {"who": sub.customer, "bytes": "300", "value": "9", "region": "eu"}
    sent = shop.client.v1.billing.meter_events.create({"event_name": "transfer", "payload": payload})
    assert (sent.payload.to_dict(), sent.event_name, bool(sent.identifier)) == (payload, "transfer", True)
    shop.pass_period(sub)
    assert shop.latest(sub).total == 300


def test_an_identifier_counts_once_within_a_day_and_again_afterwards(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    assert shop.use(sub, 5, identifier="run-1").identifier == "run-1"
    refused = refusal(lambda: shop.use(sub, 5, identifier="run-1"))
    assert (refused.http_status, refused.user_message) == (400, "An event already exists with identifier run-1.")
    assert refused.headers["Stripe-Should-Retry"] == "false"
    shop.pass_days(1.1)
    shop.use(sub, 5, identifier="run-1")
    shop.pass_period(sub)
    assert shop.latest(sub).total == 10
    assert refusal(lambda: shop.use(sub, 5, identifier="x" * 101)).param == "identifier"


def test_the_same_request_under_its_key_is_one_event(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    asked: Any = {"event_name": "tokens", "identifier": "run-2"}
    asked["payload"] = {"stripe_customer_id": sub.customer, "value": "5"}
    first, again = (shop.client.v1.billing.meter_events.create(asked, {"idempotency_key": "key-2"}) for _ in range(2))
    assert first == again


def test_events_may_be_35_days_old_and_five_minutes_ahead(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    now = shop.now()
    for allowed in (now - 35 * DAY + 60, now + 290):
        assert shop.use(sub, 1, timestamp=allowed).timestamp == allowed
    for at, code in ((now - 35 * DAY - 60, "timestamp_too_far_in_past"), (now + 400, "timestamp_in_future")):
        refused = refusal(lambda at=at: shop.use(sub, 1, timestamp=at))
        assert (refused.param, refused.code) == ("timestamp", code)


def test_an_event_without_an_active_meter_is_refused_at_once(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    shop.client.v1.billing.meters.deactivate(shop.meter.id)
    for name in ("tokens", "nobody's"):
        refused = refusal(lambda name=name: shop.use(sub, 1, name))
        assert refused.user_message == f'No active meter found for event name "{name}".'


def test_an_event_is_taken_back_within_a_day(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    for identifier, value in (("wrong", 1000), ("right", 5)):
        shop.use(sub, value, identifier=identifier)
    cancel: Any = {"event_name": "tokens", "type": "cancel", "cancel": {"identifier": "wrong"}}
    done = shop.client.v1.billing.meter_event_adjustments.create(cancel)
    assert (done.status, done.cancel and done.cancel.identifier) == ("pending", "wrong")
    assert refusal(lambda: shop.client.v1.billing.meter_event_adjustments.create(cancel)).param == "cancel[identifier]"
    shop.pass_days(1.1)
    late: Any = {**cancel, "cancel": {"identifier": "right"}}
    assert refusal(lambda: shop.client.v1.billing.meter_event_adjustments.create(late)).code == "resource_missing"
    shop.pass_period(sub)
    assert lines(shop.latest(sub)) == [("5 × Tokens (at $0.01 / month)", 5)]


def test_what_is_taken_back_while_the_invoice_is_a_draft_leaves_it(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    end = sub["items"].data[0].current_period_end
    shop.control("/advance", {"to": end - 600})
    for identifier in ("kept", "gone"):
        shop.use(sub, 100, identifier=identifier)
    shop.control("/advance", {"to": end + 60})
    assert shop.latest(sub).total == 200
    cancel: Any = {"event_name": "tokens", "type": "cancel", "cancel": {"identifier": "gone"}}
    shop.client.v1.billing.meter_event_adjustments.create(cancel)
    shop.pass_days(0.5)
    assert shop.latest(sub).total == 100


def test_summaries_add_up_by_hour_and_day(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    shop.pass_days(3)
    day = shop.now() - shop.now() % DAY - DAY
    for value, at in ((1, day), (2, day + 3599), (4, day + 3600), (8, day + DAY - 1), (0.5, day + DAY)):
        shop.use(sub, value, timestamp=at)

    def summaries(end: int, window: Any = None, **more: Any) -> list[tuple[int, int, float]]:
        asked: Any = {"customer": sub.customer, "start_time": day, "end_time": end, **more}
        asked |= {"value_grouping_window": window} if window else {}
        rows = shop.client.v1.billing.meters.event_summaries.list(shop.meter.id, asked).data
        return [(row.start_time - day, row.end_time - day, row.aggregated_value) for row in rows]

    assert summaries(day + DAY) == [(0, DAY, 15)]
    assert summaries(day + 2 * DAY, "day") == [(DAY, 2 * DAY, 0.5), (0, DAY, 15)]
    hours = [(DAY - 3600, DAY, 8), (3600, 7200, 4), (0, 3600, 3)]
    assert summaries(day + DAY, "hour") == hours
    first = shop.client.v1.billing.meters.event_summaries.list(
        shop.meter.id,
        {
            "customer": sub.customer,
            "start_time": day,
            "end_time": day + DAY,
            "value_grouping_window": "hour",
            "limit": 1,
        },
    )
    assert first.has_more
    assert summaries(day + DAY, "hour", starting_after=first.data[0].id) == hours[1:]
    assert refusal(lambda: summaries(day + DAY + 1)).param == "end_time"
    assert refusal(lambda: summaries(day + 3660, "hour")).param == "end_time"
    assert refusal(lambda: summaries(day)).param == "start_time"
    assert summaries(day + DAY, customer=shop.subscriber().id) == [(0, DAY, 0)]


def test_ten_thousand_events_take_seconds_and_a_customers_sum_asks_no_one_elses(sandbox: Sandbox, shop: Shop) -> None:
    """The events come in streams, a hundred in each; the customer who is summed up has ten."""
    crowd, one = (shop.subscribed(shop.price(unit_amount=1)) for _ in range(2))
    session = shop.client.v2.billing.meter_event_session.create()
    stream = stripe.StripeClient(session.authentication_token, base_addresses={"meter_events": sandbox.url})
    before = time.process_time()
    for _ in range(100):
        payload = {"stripe_customer_id": str(crowd.customer), "value": "2"}
        stream.v2.billing.meter_event_stream.create({"events": [{"event_name": "tokens", "payload": payload}] * 100})
    assert time.process_time() - before < 10  # the client's share of it included
    for _ in range(10):
        shop.use(one, 3)
    shop.pass_period(crowd)
    assert (shop.latest(crowd).total, shop.latest(one).total) == (20_000, 30)


def test_usage_and_identifiers_outlive_a_restart(tmp_path: Path) -> None:
    kept = {"state_file": tmp_path / "state.json", "seed": 7}
    with Sandbox(port=0, **kept) as sandbox:
        shop = opened(sandbox)
        sub = shop.subscribed(shop.price(unit_amount=1), billing_thresholds={"amount_gte": 100})
        shop.use(sub, 60, identifier="before")
    with Sandbox(port=0, **kept) as sandbox:
        again = opened(sandbox, new=False)
        assert "already exists" in str(refusal(lambda: again.use(sub, 1, identifier="before")).user_message)
        again.use(sub, 60)
        assert again.latest(sub).total == 120


def opened(sandbox: Sandbox, new: bool = True) -> Shop:
    def control(path: str, body: Any = None, method: str = "POST") -> Any:
        return ask(f"{sandbox.url}/_sandbox{path}", body, method)[1]

    client = stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url})
    shop = Shop.__new__(Shop) if not new else Shop(client, control)
    shop.client, shop.control = client, control
    return shop

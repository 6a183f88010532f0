"""The door: what is stored, what is refused, and in which words."""

import json
import time

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django_q.models import OrmQ

from billing import testing
from billing.conf import conf
from billing.events import ledger
from billing.events.webhooks import stripe_webhook
from billing.models import Lane, StripeEvent

WEBHOOK_PATH = "/api/v1/webhooks/stripe"

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def an_event(**overrides):
    return testing.event(
        "customer.subscription.updated", {"id": "sub_1", "object": "subscription", "customer": "cus_1"}, **overrides
    )


def test_an_event_is_stored_and_its_lane_woken_before_the_answer():
    event = an_event()
    answer = testing.deliver(event)
    assert (answer.status_code, answer.json()) == (200, {"status": "received"})
    stored = StripeEvent.objects.get(pk=event["id"])
    assert (stored.type, stored.created, stored.status) == (event["type"], event["created"], "received")
    assert (stored.lane, stored.object_id, stored.source, stored.attempts) == ("cus_1", "sub_1", "webhook", 0)
    assert stored.payload == event
    assert OrmQ.objects.count() == 1


def test_a_second_delivery_is_a_duplicate_and_only_counted():
    event = an_event()
    testing.deliver(event)
    assert testing.deliver(event).json() == {"status": "duplicate"}
    assert StripeEvent.objects.get().deliveries == 2
    assert OrmQ.objects.count() == 1


def test_a_lane_that_is_awake_costs_no_second_queue_row():
    for _ in range(5):
        testing.deliver(an_event())
    assert OrmQ.objects.count() == 1
    assert Lane.objects.get().arrived == 5


@pytest.mark.django_db(transaction=True)
def test_an_event_that_finds_its_lane_awake_is_stored_once_however_often_it_comes():
    first, second = an_event(), an_event()
    for event in (first, second, second, first):
        testing.deliver(event)
    assert list(StripeEvent.objects.order_by("pk").values_list("deliveries", flat=True)) == [2, 2]
    assert OrmQ.objects.count() == 1


def test_the_path_answers_with_a_last_slash_too():
    body = json.dumps(an_event()).encode()
    answer = Client().post(
        WEBHOOK_PATH + "/",
        data=body,
        content_type="application/json",
        headers={"Stripe-Signature": testing.sign(body, conf.webhook_secrets[0])},
    )
    assert answer.json() == {"status": "received"}


def test_an_unknown_type_is_stored_as_ignored():
    event = testing.event("plan.created", {"id": "plan_1", "object": "plan"})
    assert testing.deliver(event).json() == {"status": "ignored"}
    assert StripeEvent.objects.get().status == "ignored"
    assert not OrmQ.objects.exists()


def test_an_event_of_the_other_mode_is_stored_and_says_why_it_is_never_processed():
    event = an_event(livemode=True)
    assert testing.deliver(event).json() == {"status": "ignored"}
    assert "live mode" in StripeEvent.objects.get().error_message
    assert ledger.replay([event["id"]]) == 0


def test_an_event_of_another_version_is_processed_and_its_version_kept():
    testing.deliver(an_event(api_version="2026-09-30.endive"))
    assert StripeEvent.objects.values_list("status", "api_version").get() == ("received", "2026-09-30.endive")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        "t=,v1=",
        "t=abc,v1=def",
        "v1=" + "0" * 64,
        "t=99999999999999999999999999,v1=é",
    ],
)
def test_a_missing_or_malformed_signature_is_refused_and_nothing_stored(signature):
    answer = testing.post(json.dumps(an_event()).encode(), signature)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert not StripeEvent.objects.exists()


def test_a_signature_made_with_another_secret_is_refused():
    body = json.dumps(an_event()).encode()
    assert testing.post(body, testing.sign(body, "whsec_stranger")).status_code == 400


def test_a_stale_signature_is_refused():
    body = json.dumps(an_event()).encode()
    stale = testing.sign(body, conf.webhook_secrets[0], at=int(time.time()) - 301)
    assert testing.post(body, stale).json()["code"] == "bad_signature"


def test_while_a_secret_rolls_the_old_and_the_new_one_both_verify(settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        body = json.dumps(an_event()).encode()
        assert testing.post(body, testing.sign(body, secret)).status_code == 200


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_believed(settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    body = json.dumps(an_event()).encode()
    answer = testing.post(body, testing.sign(body, ""))
    assert (answer.status_code, answer.json()["code"]) == (400, "no_webhook_secret")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"id": NaN}', b"nul", b'{"created": Infinity}'])
def test_a_body_that_is_not_json_is_refused(body):
    answer = testing.post(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        [],
        "event",
        17,
        None,
        {},
        an_event(id=None),
        an_event(id=""),
        an_event(id="evt_" + "x" * 300),
        an_event(type=["a"]),
        an_event(created="now"),
        an_event(created=True),
        an_event(created=1.0),
        an_event(created=2**61),
        an_event(created=253_402_300_800),
        an_event(livemode="no"),
        an_event(data={}),
        an_event(data={"object": "sub_1"}),
        an_event(data=None),
        {"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered", "data": {}},
    ],
)
def test_json_that_is_not_an_event_is_refused_and_says_what_is_missing(data):
    answer = testing.deliver(data)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_event")
    assert answer.json()["detail"].startswith("not an event")
    assert not StripeEvent.objects.exists()


LONGEST = [("id", 255), ("type", 100)]


@pytest.mark.parametrize(("name", "longest"), LONGEST)
def test_a_text_as_long_as_its_column_is_taken_and_one_longer_is_refused(name, longest):
    assert testing.deliver(an_event(**{name: "x" * longest})).status_code == 200
    assert len(getattr(StripeEvent.objects.get(), name)) == longest
    answer = testing.deliver(an_event(**{name: "y" * (longest + 1)}))
    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_event")
    assert f"{name} must be a text of 1 to {longest} characters" in answer.json()["detail"]
    assert StripeEvent.objects.count() == 1


@pytest.mark.parametrize(("created", "status"), [(-1, 400), (0, 200), (253_402_300_799, 200), (253_402_300_800, 400)])
def test_a_time_is_taken_from_the_epoch_to_the_last_date_there_is(created, status):
    assert testing.deliver(an_event(created=created)).status_code == status


@pytest.mark.parametrize("kind", ["v2.core.event", "Event", "", None, 1])
def test_an_otherwise_whole_event_of_another_kind_is_refused(kind):
    answer = testing.deliver(an_event(object=kind))
    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_event")
    assert not StripeEvent.objects.exists()


def test_a_body_over_one_mebibyte_is_refused_unread():
    class Unread:
        def read(self, *args):
            raise AssertionError("the body was read")

    request = RequestFactory().post(WEBHOOK_PATH, b"", content_type="application/json")
    request.META["CONTENT_LENGTH"] = str(1024 * 1024 + 1)
    request._stream = Unread()
    assert stripe_webhook(request).status_code == 413


def test_a_length_that_is_no_number_is_no_server_error():
    answer = Client().generic("POST", WEBHOOK_PATH, b"{}", CONTENT_LENGTH="many")
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_another_method_is_not_allowed(method):
    answer = getattr(Client(), method)(WEBHOOK_PATH)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_what_could_not_be_stored_is_answered_503_so_that_stripe_sends_it_again():
    def down(execute, sql, params, many, context):
        raise OperationalError("the database is down")

    with connection.execute_wrapper(down):
        answer = testing.deliver(an_event())
    assert (answer.status_code, answer.json()["code"]) == (503, "not_stored")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.django_db(transaction=True)
def test_characters_that_jsonb_cannot_hold_do_not_lose_the_event():
    event = an_event()
    event["data"]["object"]["description"] = "nul \x00 and half a pair \ud800"
    assert testing.deliver(event).json() == {"status": "received"}
    assert StripeEvent.objects.get().payload["data"]["object"]["id"] == "sub_1"


@pytest.mark.django_db(transaction=True)
def test_halves_of_surrogate_pairs_in_ids_are_refused():
    event = an_event()
    event["data"]["object"] |= {"id": "sub_\ud800", "customer": "cus_\ud800"}
    answer = testing.deliver(event)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_id")
    assert not StripeEvent.objects.exists()


def test_a_body_of_unsaid_length_is_refused_and_told_so():
    answer = Client().generic("POST", WEBHOOK_PATH, b"", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_length")


def test_an_event_without_an_object_id_is_stored():
    event = testing.event("invoice.upcoming", {"object": "invoice", "customer": "cus_1"})
    assert testing.deliver(event).json() == {"status": "ignored"}
    assert StripeEvent.objects.get().object_id == ""

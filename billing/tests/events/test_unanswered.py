"""An event whose object Stripe answers unintelligibly is given up in the end; an outage counts no tries."""

import pytest
from django.core.management import CommandError, call_command

from billing import testing
from billing.events import worker
from billing.lanes import tries
from billing.models import Alert, StripeEvent
from billing.monitoring import health
from billing.stripe_client.http_client import HttpClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

TRIES = len(tries.WAITS) + 1


@pytest.fixture
def answering(monkeypatch):
    """Stripe answers what is asked under these paths with this status and body, and the rest as it is."""
    send = HttpClient.send

    def begin(status, body, *paths):
        def answer(self, method, url, request, post_data=None):
            if any(path in url for path in paths):
                return body, status, {}
            return send(self, method, url, request, post_data)

        monkeypatch.setattr(HttpClient, "send", answer)

    yield begin
    monkeypatch.setattr(HttpClient, "send", send)


@pytest.fixture
def disputed(world):
    ada = world.subscribed()
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver(work=False)
    return ada


def the_event():
    return StripeEvent.objects.get(type="charge.dispute.created")


def again():
    StripeEvent.objects.waiting().update(next_attempt_at=None)
    for lane in set(StripeEvent.objects.waiting().values_list("lane", flat=True)):
        worker.drain(lane)


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"<html>"), (200, b"[]"[:1])])
def test_an_object_that_is_never_answered_kills_its_event_after_as_many_tries_as_any_other_error(
    world, disputed, answering, status, body
):
    answering(status, body, "/v1/disputes/")
    testing.work()
    for tried in range(1, TRIES):
        assert (the_event().status, the_event().attempts) == ("failed", tried)
        again()
    assert (the_event().status, the_event().attempts) == ("dead", TRIES)
    assert len(the_event().failures) == TRIES
    assert not StripeEvent.objects.waiting().exists()
    assert disputed.access.has_access


def test_a_dead_one_is_seen_where_staff_look(world, disputed, answering, settings, client, capsys):
    settings.BILLING_READY_DEAD_EVENTS = 0
    answering(500, b"{}", "/v1/disputes/")
    testing.work()
    for _ in range(TRIES - 2):
        again()
    assert health.backlog().dead_events == 0
    again()
    assert health.backlog().dead_events == 1
    assert "events are dead" in client.get("/readyz").json()["reason"]
    assert Alert.objects.filter(cause="dead_events").exists()
    with pytest.raises(CommandError):
        call_command("billing_doctor")
    assert "The number of dead events is 1." in capsys.readouterr().out


def test_what_is_answered_in_the_end_is_applied(world, disputed, answering):
    answering(500, b"{}", "/v1/disputes/")
    testing.work()
    answering(500, b"{}", "/nowhere")
    again()
    assert (the_event().status, the_event().attempts) == ("processed", 2)


def test_an_outage_of_all_of_stripe_counts_no_try_however_long(world, disputed, answering):
    answering(503, b"{}", "/v1/")
    testing.work()
    for _ in range(TRIES + 2):
        again()
    assert (the_event().status, the_event().attempts) == ("received", 0)
    assert the_event().error_message.startswith("Waiting: ")


def test_a_busy_stripe_counts_no_try(world, disputed, answering):
    answering(429, b"{}", "/v1/disputes/")
    testing.work()
    assert (the_event().status, the_event().attempts) == ("received", 0)


def test_a_lane_whose_subscriptions_are_never_answered_is_given_up_as_well(world, disputed, answering):
    ben = world.subscribe(email="ben@example.com")
    answering(500, b"{}", f"/v1/subscriptions?customer={disputed.customer}", f"customer={disputed.customer}&")
    world.deliver(work=False)
    testing.work()
    for _ in range(TRIES - 1):
        again()
    assert the_event().status == "dead"
    assert not StripeEvent.objects.filter(lane=ben.customer, status__in=["received", "failed", "dead"]).exists()
    assert ben.access.has_access

"""The ledger: what a duplicate does not do, and what staff's word and a replay do to the events they name alone."""

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from billing import testing
from billing.events import Event, ledger
from billing.models import Lane, StripeEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def an_event(customer="cus_1", **overrides):
    obj = {"id": f"sub_{customer}", "object": "subscription", "customer": customer}
    return testing.event("customer.subscription.updated", obj, **overrides)


def stored(pk, lane="cus_1", **columns):
    usual = {"type": "customer.subscription.updated", "status": "dead", "created": 1, "livemode": False}
    usual |= {"received_at": timezone.now(), "payload": {"id": pk}, "attempts": 7, "error_message": "x"}
    return StripeEvent.objects.create(pk=pk, lane=lane, **{**usual, **columns})


def awake():
    return sorted(lane.pk for lane in Lane.objects.all() if lane.arrived > lane.drained)


def test_a_duplicate_wakes_no_lane_and_queues_nothing():
    first = an_event()
    testing.deliver(first)
    Lane.objects.update(drained=1)
    OrmQ.objects.all().delete()
    assert testing.deliver(first).json() == {"status": "duplicate"}
    assert (awake(), OrmQ.objects.count(), Lane.objects.get().arrived) == ([], 0, 1)
    assert StripeEvent.objects.get().deliveries == 2


def test_a_duplicate_counts_on_its_own_row_and_an_ignored_one_too():
    first, other, ignored = an_event(), an_event("cus_2"), testing.event("plan.created", {"id": "plan_1"})
    for event in (first, other, ignored, ignored, first, first):
        testing.deliver(event)
    counted = dict(StripeEvent.objects.values_list("pk", "deliveries"))
    assert counted == {first["id"]: 3, other["id"]: 1, ignored["id"]: 2}


@pytest.mark.parametrize(("is_live", "livemode", "status"), [(False, True, "ignored"), (True, False, "ignored"),
                                                             (True, True, "received")])  # fmt: skip
def test_only_events_of_our_mode_are_processed_and_the_reason_names_both(settings, is_live, livemode, status):
    settings.STRIPE_LIVE_MODE = is_live
    assert ledger.record(Event.of(an_event(livemode=livemode))) == status
    said = StripeEvent.objects.get().error_message
    ours, theirs = ("live", "test") if is_live else ("test", "live")
    assert said == (f"A {theirs} mode event, and this project runs in {ours} mode: never processed." if status ==
                    "ignored" else "")  # fmt: skip
    assert bool(awake()) is (status == "received")


def test_staffs_word_is_about_the_events_named_that_went_wrong_and_about_no_other():
    for pk, status in (
        ("evt_dead", "dead"),
        ("evt_failed", "failed"),
        ("evt_done", "processed"),
        ("evt_new", "received"),
    ):
        stored(pk, status=status, next_attempt_at=timezone.now())
    stored("evt_other")
    named = ["evt_dead", "evt_failed", "evt_done", "evt_new", "evt_unknown"]
    assert ledger.mark_handled(named) == 2
    handled = StripeEvent.objects.exclude(handled_at=None)
    assert set(handled.values_list("pk", "status", "next_attempt_at")) == {
        ("evt_dead", "dead", None), ("evt_failed", "dead", None),
    }  # fmt: skip
    assert ledger.mark_handled(named) == 0, "once"
    assert StripeEvent.objects.get(pk="evt_other").handled_at is None


def test_a_replay_sets_back_the_events_named_and_wakes_their_lanes_alone():
    stored("evt_1", handled_at=timezone.now(), next_attempt_at=timezone.now())
    stored("evt_2", lane="cus_2")
    stored("evt_bystander", lane="cus_3")
    assert ledger.replay(["evt_1", "evt_2"]) == 2
    for row in StripeEvent.objects.filter(pk__in=["evt_1", "evt_2"]):
        assert (row.status, row.source, row.attempts) == ("received", "replay", 0)
        assert (row.error_message, row.handled_at, row.next_attempt_at) == ("", None, None)
    bystander = StripeEvent.objects.get(pk="evt_bystander")
    assert (bystander.status, bystander.source, bystander.attempts) == ("dead", "webhook", 7)
    assert awake() == ["cus_1", "cus_2"]


@pytest.mark.parametrize("columns", [{"payload": {}}, {"livemode": True}, {"type": "plan.created"}])
def test_what_is_pruned_of_the_other_mode_or_of_no_interest_is_never_replayed(columns):
    stored("evt_1", **columns)
    assert ledger.replay(["evt_1"]) == 0
    assert (StripeEvent.objects.get().status, awake()) == ("dead", [])


def test_a_version_too_long_for_its_column_is_cut_and_an_objects_id_that_long_is_refused():
    event = an_event(api_version="v" * 65)
    event["data"]["object"]["id"] = "s" * 256
    event["data"]["previous_attributes"] = ["no object"]
    refused = testing.deliver(event)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_id")
    event["data"]["object"]["id"] = "s" * 255
    assert testing.deliver(event).status_code == 200
    row = StripeEvent.objects.get()
    assert (row.api_version, row.object_id, row.type) == ("v" * 64, "s" * 255, "customer.subscription.updated")
    assert (row.status, row.source, row.attempts, row.livemode) == ("received", "webhook", 0, False)

"""Staff are told once an hour for each cause, after the commit, and no person is named."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import queues, stripe_client, testing
from billing.lanes import tries
from billing.models import Alert, StripeEvent, Subscription
from billing.monitoring import alerts, watch
from billing.stripe_client import StripeUnavailable, shared_state
from billing.sync import runs
from billing.tests.mailing import GRACE
from billing.tests.parallel import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def staff(settings):
    settings.ADMINS = GRACE


@pytest.fixture
def later(time_machine):
    return lambda **by: time_machine.move_to(timezone.now() + timedelta(**by))


def told():
    """Subjects of the alerts mailed since the last look; none may name a subscriber."""
    watch.each_minute()
    messages = [message for message in mail.outbox if message.to == ["grace@example.com"]]
    mail.outbox.clear()
    assert not any("ada@example.com" in message.subject + message.body for message in messages)
    return [message.subject.partition("] ")[2] or message.subject for message in messages]


def event(pk, **changes):
    fields = {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_1", "payload": {}}
    return StripeEvent.objects.create(pk=pk, **{**fields, "received_at": timezone.now(), **changes})


def test_the_queue_looks_each_minute():
    assert queues.declared_schedules()["billing.monitoring.watch.each_minute"] == 1


def test_a_cause_is_told_at_once_and_what_follows_within_the_hour_in_one_mail_after_it(later):
    alerts.alert_staff("dispute_opened", "New dispute dp_1", "The first.")
    assert told() == ["New dispute dp_1"]
    alerts.alert_staff("dispute_opened", "New dispute dp_2", "The second.")
    alerts.alert_staff("dispute_opened", "New dispute dp_3", "The third.")
    later(minutes=59)
    assert told() == []
    later(minutes=2)
    watch.each_minute()
    [message] = mail.outbox
    assert "New dispute dp_3" in message.subject
    assert "This happened 2 times" in message.body
    mail.outbox.clear()
    later(hours=2)
    assert told() == [], "nothing waits any more"


def test_one_cause_does_not_wait_for_another():
    alerts.alert_staff("drift", "3 differences", "")
    assert told() == ["3 differences"]
    alerts.alert_staff("dead_events", "Event evt_1", "")
    assert told() == ["Event evt_1"]


def test_what_is_rolled_back_is_not_told():
    with transaction.atomic():
        alerts.alert_staff("drift", "3 differences", "")
        transaction.set_rollback(True)
    assert told() == []


def test_a_mail_that_cannot_be_sent_waits_for_the_next_minute_and_nobody_fails_over_it(monkeypatch):
    alerts.alert_staff("drift", "3 differences", "")
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", lambda *args: (_ for _ in ()).throw(ConnectionRefusedError()))
        assert told() == []
    assert told() == ["3 differences"]


def test_two_workers_mail_it_once():
    alerts.alert_staff("drift", "3 differences", "")
    assert sum(at_once(lambda number: alerts.send(), 4)) == 1


def test_an_event_that_died_is_told(world, monkeypatch):
    def refuse(sender, event, **kwargs):
        raise LookupError("no shelf for ada@example.com")

    world.subscribe()
    monkeypatch.setattr(tries, "WAITS", ())
    djstripe_receiver("invoice.paid")(refuse)
    try:
        world.deliver(work=False)
        testing.work()
    finally:
        WEBHOOK_SIGNALS["invoice.paid"].disconnect(refuse, sender=Event)
    dead = StripeEvent.objects.get(status="dead")
    assert told() == [f"Event {dead.pk} could not be processed"]


def test_a_dispute_is_told_once(world):
    ada = world.subscribed()
    dispute = world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    world.control("deliver", event=world.stripe("GET", "events", type="charge.dispute.created")["data"][0]["id"])
    assert told() == [f"New dispute {dispute['id']}"]
    world.deliver()
    assert told() == []


def test_drift_is_told_and_a_sync_without_is_not(world):
    ada = world.subscribed()
    runs.run(runs.Wanted())
    told()
    Alert.objects.all().delete()
    Subscription.objects.update(status="past_due")
    runs.run(runs.Wanted(customer=ada.customer))
    assert told() == ["1 difference from Stripe found"]
    Alert.objects.all().delete()
    runs.run(runs.Wanted(customer=ada.customer))
    assert told() == []


def test_a_sync_that_failed_is_told(world):
    ada = world.subscribed()
    world.control("faults", api={"fail_next": 1000, "status": 503})
    with pytest.raises(StripeUnavailable):
        runs.run(runs.Wanted(customer=ada.customer))
    assert told() == ["The sync with Stripe failed"]


def test_a_stuck_queue_is_told_each_hour_while_it_is_stuck(later):
    waiting = event("evt_1", received_at=timezone.now() - timedelta(minutes=6))
    assert told() == ["Events wait too long to be processed"]
    later(minutes=30)
    assert told() == []
    later(minutes=31)
    assert told() == ["Events wait too long to be processed"]
    later(minutes=30)
    waiting.delete()
    later(minutes=31)
    assert told() == [], "what is over is not told late"


def test_silence_is_told_only_where_stripe_had_something_to_say(later):
    assert told() == [], "no event at all"
    event("evt_webhook", status="processed")
    later(hours=7)
    assert told() == [], "a quiet site"
    event("evt_missed", source="sync", status="processed")
    assert told() == ["No webhook arrives from Stripe"]


@pytest.mark.parametrize("came", [{"source": "webhook"}, {"source": "sync", "deliveries": 2}])
def test_a_webhook_that_came_after_the_sync_breaks_the_silence(came):
    if came["source"] == "webhook":
        event("evt_missed", source="sync", status="processed")
    event("evt_came", status="processed", **came)
    assert told() == []


def test_stripe_away_is_told_when_it_lasts(world, settings, later):
    settings.BILLING_STRIPE_CIRCUIT_FAILURES = 2
    world.control("faults", api={"fail_next": 1000, "status": 503})
    for minutes in (0, 4, 4, 4, 4):
        later(minutes=minutes)
        with pytest.raises(StripeUnavailable):
            stripe_client.get("/v1/customers")
    assert told() == ["Stripe does not answer"]
    world.control("faults")
    later(minutes=70)
    shared_state.drop(shared_state.PROBE)
    stripe_client.get("/v1/customers")
    assert told() == []


def test_staff_see_what_was_told_and_what_waits(admin_client):
    alerts.alert_staff("drift", "3 differences", "Its page says more.")
    watch.each_minute()
    alerts.alert_staff("drift", "4 differences", "Its page says more.")
    page = admin_client.get("/admin/billing/alert/").content.decode()
    assert "4 differences" in page
    assert "Its page says more." in admin_client.get("/admin/billing/alert/drift/change/").content.decode()

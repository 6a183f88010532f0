"""Steps that belong together are written together: where the last one fails, none of those before is left."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from djstripe import models as djstripe

from billing import lanes, usage
from billing.catalogue import definitions
from billing.events import ledger, stamping, sweep
from billing.lanes import standing_writes
from billing.lifecycle import deletion
from billing.lifecycle.deletion import copies, process
from billing.models import AccountDeletion, Customer, Lane, Plan, StripeEvent, StripeWrite, Subscription, SyncRun, Usage
from billing.stripe_client import StripeUnanswered
from billing.subscriptions import mirror
from billing.sync import list_pages, pruning
from billing.tests.subscriptions.test_projection import found
from billing.usage import counting

pytestmark = pytest.mark.django_db(transaction=True)


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def dies(monkeypatch):
    """Let a function die as it is called, or at its nth call."""

    def at(place, name, nth=1):
        real, calls = getattr(place, name), []

        def call(*args, **kwargs):
            calls.append(args)
            if len(calls) == nth:
                raise Crash
            return real(*args, **kwargs)

        monkeypatch.setattr(place, name, call)

    return at


@pytest.fixture(autouse=True)
def clock(settings):
    settings.BILLING_CLOCK = ""


@pytest.fixture
def ada():
    user = get_user_model().objects.create_user("ada@example.com")
    return Customer.objects.create(pk="cus_ada", subscriber=user)


def event(pk="evt_1", **columns):
    obj = {"id": "cus_ada", "object": "customer", "email": "ada@example.com"}
    payload = {"id": pk, "type": "customer.updated", "data": {"object": obj}}
    usual = {"type": "customer.updated", "created": 1, "livemode": False, "lane": "cus_ada", "status": "dead"}
    return StripeEvent.objects.create(pk=pk, received_at=timezone.now(), **{**usual, "payload": payload, **columns})


def test_a_standing_write_is_owed_with_its_wake_up_or_not_at_all(ada, dies):
    dies(standing_writes.claims, "wake")
    with pytest.raises(Crash):
        standing_writes.owe(ada, StripeWrite.Action.SET_SEATS, "members")
    assert not StripeWrite.objects.exists()


def test_a_deletion_begins_with_its_announcement_and_its_wake_up_or_not_at_all(ada, dies):
    dies(process.lanes, "wake_all")
    with pytest.raises(Crash):
        deletion.begin(ada.subscriber)
    assert not AccountDeletion.objects.exists()


def test_a_deletion_is_due_now_with_its_wake_up_or_stays_as_it_was(ada, dies):
    later = timezone.now()
    row = AccountDeletion.objects.create(customer=ada, lane="cus_ada", requested_at=later, next_attempt_at=later)
    dies(process.lanes, "wake")
    with pytest.raises(Crash):
        process.try_now(row)
    assert AccountDeletion.objects.get().next_attempt_at == later


def test_a_deletion_moves_to_another_lane_with_its_wake_up_or_stays(ada, dies, monkeypatch):
    row = AccountDeletion.objects.create(subscriber=ada.subscriber, lane="deletion:1", requested_at=timezone.now())
    monkeypatch.setattr(process.customers, "find_customer", lambda subscriber: ada)
    dies(process.lanes, "wake")
    with pytest.raises(Crash):
        process._has_moved(row)
    assert AccountDeletion.objects.values_list("lane", "customer").get() == ("deletion:1", None)


def test_events_are_redacted_with_djstripes_copies_or_not_at_all(ada, dies):
    event()
    dies(copies, "_redact_copies")
    with pytest.raises(Crash):
        copies.redact_events("cus_ada", lambda: None)
    assert StripeEvent.objects.unredacted().count() == 1


def test_payloads_are_emptied_with_djstripes_copies_or_not_at_all(dies):
    event(status="processed")
    dies(pruning.DjstripeEvent.objects, "filter")
    with pytest.raises(Crash):
        pruning._empty(["evt_1"])
    assert StripeEvent.objects.exclude(payload={}).exists()


def test_events_are_replayed_with_the_wake_up_of_every_lane_or_not_at_all(dies):
    event()
    event("evt_2", lane="cus_ben")
    dies(standing_writes.claims, "wake", nth=2)
    with pytest.raises(Crash):
        ledger.replay(["evt_1", "evt_2"])
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"dead"}
    assert not Lane.objects.exists()


def test_all_events_of_a_lane_are_stamped_or_none(dies, monkeypatch):
    monkeypatch.setattr(stamping.stripe_client, "answers", lambda: True)
    for number in range(2):
        event(f"evt_{number}", status="received")
    dies(stamping, "stamp_failed", nth=2)
    with pytest.raises(Crash):
        stamping.stamp_unapplied("cus_ada", StripeUnanswered("x"))
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"received"}


def test_a_forgotten_lane_is_woken_with_its_task_or_not_at_all(dies):
    long_ago = timezone.now() - 2 * sweep.LEFT_BEHIND
    Lane.objects.create(pk="cus_ada", arrived=2, drained=1, woken_at=long_ago)
    dies(sweep.lanes, "queue_drain")
    with pytest.raises(Crash):
        sweep.sweep()
    assert Lane.objects.get().woken_at == long_ago


def test_what_is_due_wakes_its_lane_with_the_task_or_not_at_all(dies):
    event(status="failed", next_attempt_at=timezone.now())
    dies(lanes.claims, "queue_drain")
    with pytest.raises(Crash):
        sweep.sweep()
    assert not Lane.objects.exists()


def test_a_page_is_taken_over_whole_or_not_at_all(dies):
    Plan.objects.create(slug="sold", name="Sold", rank=1).prices.create(
        pk="price_low", currency="usd", unit_amount=1, interval="month"
    )
    now = timezone.now()
    run = list_pages.FullRun(SyncRun(mode="full", started_at=now, clock_at=now), now, is_dry=False, invoices={})
    dies(list_pages, "_count_as_announced")
    with pytest.raises(Crash):
        list_pages.SubscriptionPages(run)([{**found(default_payment_method=None), "customer": "cus_new"}])
    assert (Customer.objects.count(), Subscription.objects.count()) == (0, 0)


def test_a_mirrored_row_is_written_with_its_redaction_or_not_at_all(world, dies):
    ada = world.subscribed()
    djstripe.Customer.objects.filter(id=ada.customer).update(email="old@example.com")
    dies(mirror, "redact_if_deleted")
    with pytest.raises(Crash):
        mirror.write_object(world.stripe("GET", f"customers/{ada.customer}"))
    assert djstripe.Customer.objects.get(id=ada.customer).email == "old@example.com"


def test_use_is_counted_with_its_row_or_not_at_all(ada, dies):
    definitions.update_plans()
    dies(counting, "_quota")
    with pytest.raises(Crash):
        usage.consume(ada.subscriber, "generations")
    assert not Usage.objects.exists()


def test_plans_are_brought_to_what_the_settings_say_all_or_none(dies):
    Plan.objects.all().delete()
    dies(definitions, "_withdraw_plans")
    with pytest.raises(Crash):
        definitions.update_plans()
    assert not Plan.objects.exists()

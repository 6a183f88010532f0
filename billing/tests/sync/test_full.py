"""A whole run at the sandbox: what is listed, who is asked about, and what is left on record."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from billing.models import Customer, Subscription, SyncRun
from billing.sync import full

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_open_invoices_are_known_by_their_subscription_with_what_grace_reads_of_them(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    world.subscribed(email="paid@example.com")
    for one in (ada, ben):
        world.change_card(one, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    found = full.open_invoices()
    assert set(found) == {ada.subscription, ben.subscription}
    [invoice] = found[ada.subscription]
    theirs = world.stripe("GET", f"invoices/{world.open_invoice(ada)}")
    names = (
        "id",
        "customer",
        "status",
        "amount_remaining",
        "attempt_count",
        "created",
        "due_date",
        "status_transitions",
    )
    assert invoice == {name: theirs[name] for name in names}


def test_a_whole_run_dates_grace_from_the_failure_that_began_it(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    world.deliver()
    since = ada.row.past_due_since
    Subscription.objects.update(past_due_since=None)
    run = SyncRun.objects.create(mode="full", started_at=timezone.now(), clock_at=timezone.now())
    full.compare_all(run, lambda: None, is_dry=False)
    assert since
    assert (run.drifted, ada.row.past_due_since) == (1, since)


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_whole_run_compares_all_asks_about_who_differs_and_leaves_no_progress(world, is_dry):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    Subscription.objects.filter(customer=ada.customer).update(quantity=9)
    Customer.objects.update(created_at=LONG_AGO)
    now, ticks = timezone.now(), []
    run = SyncRun(mode="full", started_at=now, clock_at=now)
    if not is_dry:
        run.save()
    full.compare_all(run, lambda: ticks.append(run.compared), is_dry=is_dry)
    assert (run.compared, run.drifted, run.healed, run.progress) == (4, 1, int(not is_dry), {})
    assert ticks == [2, 4, 5], "two pages, and who differs"
    assert (ada.row.quantity, ben.row.quantity) == (9 if is_dry else 1, 1)


@pytest.mark.parametrize("was_broken_off", [False, True])
def test_who_stripe_lists_no_more_is_asked_about_unless_a_part_was_read_before(world, was_broken_off):
    """A later run does not list again what an earlier one had read, and so does not miss it either."""
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    Customer.objects.update(created_at=LONG_AGO)
    world.stripe("DELETE", f"customers/{ada.customer}")
    now = timezone.now()
    if was_broken_off:
        left = {"began": now.isoformat(), "left": {"subscriptions": [], "customers": [[0, None]]}}
        SyncRun.objects.create(mode="full", status="failed", started_at=now, clock_at=now, progress=left)
    run = SyncRun(mode="full", started_at=timezone.now(), clock_at=now)
    run.save()
    full.compare_all(run, lambda: None, is_dry=False)
    assert bool(Customer.objects.get(pk=ada.customer).deleted_at) is not was_broken_off
    assert Customer.objects.get(pk=ben.customer).deleted_at is None

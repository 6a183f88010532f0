"""What is owed is brought to Stripe's state by the sync, where no event did it."""

import pytest
from django.utils import timezone

from billing.lifecycle import overview
from billing.models import Customer, Invoice, NextCharge, Subscription, SyncRun
from billing.subscriptions import next_charges
from billing.sync import full, runs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    """Somebody whose renewal was declined."""
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    return ada


def full_run(is_dry=False):
    run = SyncRun(mode="full", started_at=timezone.now(), clock_at=timezone.now())
    if not is_dry:
        run.save()
    full.compare_all(run, lambda: None, is_dry=is_dry)
    return run


def owed(ada):
    return [each.amount_remaining for each in overview.overview_of(ada.user).owed]


def test_an_invoice_without_a_row_is_owed_after_a_full_run_which_is_no_drift(world, ada):
    Invoice.objects.all().delete()
    world.heard.clear()
    assert owed(ada) == []
    run = full_run()
    assert (owed(ada), Invoice.objects.get().payment, run.drifted, world.heard) == ([2000], "failed", 0, [])


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_row_that_differs_is_drift_and_is_healed(ada, is_dry):
    invoice = Invoice.objects.get(status="open").pk
    Invoice.objects.filter(pk=invoice).update(status="void", amount_remaining=0)
    run = full_run(is_dry)
    assert {drift["field"] for drift in run.drifts} == {f"{invoice} status", f"{invoice} amount_remaining"}
    assert (owed(ada), run.healed) == ([] if is_dry else [2000], 0 if is_dry else 2)


def test_an_invoice_that_is_open_no_more_at_stripe_is_not_owed(world, ada):
    world.stripe("POST", f"invoices/{ada.row.latest_invoice}/void")
    full_run()
    assert (owed(ada), Invoice.objects.filter(status="open").exists()) == ([], False)


def test_a_row_of_an_invoice_that_stripe_does_not_know_holds_up_no_healing(ada):
    Invoice.objects.filter(status="paid").update(status="open", id="in_gone")
    Subscription.objects.update(quantity=7)
    full_run()
    assert ada.row.quantity == 1


def test_the_routine_run_looks_at_the_invoices_of_who_is_past_due(ada):
    SyncRun.objects.create(mode="full", status="done", started_at=timezone.now(), clock_at=timezone.now())
    Invoice.objects.filter(status="open").update(amount_remaining=1)
    runs.run(runs.Wanted(customer=ada.customer))
    assert owed(ada) == [2000]


def test_what_nobody_owes_costs_no_call(world):
    ada = world.subscribed()
    runs.run(runs.Wanted(customer=ada.customer))
    assert "/v1/invoices" not in {call["path"] for call in world.calls()["data"]}


def test_a_pending_change_that_is_gone_at_stripe_is_gone_here(world):
    ada = world.subscribed()
    Subscription.objects.update(pending_kind="scheduled", pending_at=timezone.now())
    run = full_run()
    assert ({drift["field"] for drift in run.drifts}, ada.row.pending_kind) == ({"pending_kind", "pending_at"}, "")


def test_of_an_imported_subscription_stripe_is_asked_what_is_charged_next(world):
    ada = world.subscribed()
    at = NextCharge.objects.get().at
    Customer.objects.all().delete()
    full_run()
    assert (next_charges.each_minute(), NextCharge.objects.get().amount) == ("1 next charges asked", 2000)
    assert (NextCharge.objects.get().at, ada.customer) == (at, Customer.objects.get().pk)

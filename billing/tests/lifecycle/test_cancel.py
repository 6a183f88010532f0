"""A subscriber cancels, and may think better of it."""

import pytest

from billing import testing
from billing.events import worker
from billing.lifecycle import cancel, change, customers, refusals
from billing.models import Customer, StripeWrite, Subscription
from billing.stripe_client import StripeUnavailable
from billing.tests.parallel import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def open_invoices(world, subscriber):
    return world.stripe("GET", "invoices", subscription=subscriber.subscription, status="open")["data"]


def test_cancelled_at_the_periods_end_keeps_access_until_then(world, ada):
    row = cancel.cancel(ada.user, "period_end")
    assert (row.status, row.cancel_at) == ("active", row.current_period_end)
    assert ada.access.has_access
    assert world.said(ada) == ["cancellation_scheduled"]
    world.advance(days=32)
    world.deliver()
    assert (ada.row.status, ada.access.has_access) == ("canceled", False)


def test_cancelled_twice_is_cancelled_once(world, ada):
    first = cancel.cancel(ada.user, "period_end")
    assert cancel.cancel(ada.user, "period_end").cancel_at == first.cancel_at
    cancel.cancel(ada.user, "now")
    assert cancel.cancel(ada.user, "now").status == "canceled"
    assert world.said(ada).count("subscription_ended") == 1


@pytest.fixture
def writes(world):
    """Return how many writes Stripe has had of us since it was asked last."""
    had = [0]

    def since():
        calls = [call["count"] for call in world.calls()["data"] if call["method"] != "GET"]
        before, had[0] = had[0], sum(calls)
        return had[0] - before

    return since


def test_what_is_over_is_not_asked_about_again(world, ada, writes):
    cancel.cancel(ada.user, "now")
    writes()
    assert cancel.cancel(ada.user, "period_end").status == "canceled"
    assert writes() == 0


@pytest.mark.parametrize(("earlier", "asks"), [(86_400, 0), (0, 0), (-86_400, 1)])
def test_an_end_by_then_stays_as_it_is_and_a_later_one_is_moved(world, ada, writes, earlier, asks):
    end = at_stripe(world, ada)["items"]["data"][0]["current_period_end"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at=end - earlier)
    writes()
    cancel.cancel(ada.user, "period_end")
    assert writes() == asks
    assert at_stripe(world, ada)["cancel_at"] == end - max(earlier, 0)


def test_what_ends_with_its_period_is_not_asked_to_do_so_again(world, ada, writes):
    cancel.cancel(ada.user, "period_end")
    writes()
    cancel.cancel(ada.user, "period_end")
    assert writes() == 0


@pytest.mark.parametrize("when", ["period_end", "now"])
def test_nobody_else_is_cancelled_with_them(world, ada, when):
    ben = world.subscribed(email="ben@example.com")
    cancel.cancel(ada.user, when)
    assert (ben.row.status, ben.row.cancel_at, ben.access.reason) == ("active", None, "active")
    found = at_stripe(world, ben)
    assert (found["status"], found["cancel_at_period_end"]) == ("active", False)
    assert world.said(ben) == []


def test_cancelled_now_ends_access_now(world, ada):
    assert cancel.cancel(ada.user, "now").status == "canceled"
    assert not ada.access.has_access
    world.deliver()
    assert world.said(ada) == ["subscription_ended", "access_revoked"]


@pytest.mark.parametrize("ending", [{"cancel_at_period_end": True}, "cancel_at"])
def test_both_ways_of_a_scheduled_cancellation_are_shown_and_resumed(world, ada, ending):
    end = at_stripe(world, ada)["items"]["data"][0]["current_period_end"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", **(ending if ending != "cancel_at" else {ending: end}))
    world.deliver()
    assert ada.row.cancel_at == ada.row.current_period_end
    assert cancel.resume(ada.user).cancel_at is None
    found = at_stripe(world, ada)
    assert (found["cancel_at"], found["cancel_at_period_end"]) == (None, False)


def test_what_ends_later_than_the_period_can_be_made_to_end_with_it(world, ada):
    end = at_stripe(world, ada)["items"]["data"][0]["current_period_end"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at=end + 86_400 * 100)
    row = cancel.cancel(ada.user, "period_end")
    assert row.cancel_at == row.current_period_end


def test_a_scheduled_change_is_given_up_by_cancelling(world):
    ada = world.subscribed(plan="team", interval="year")
    world.stripe("POST", f"subscriptions/{ada.subscription}", trial_end="now")
    world.deliver()
    change.change(ada.user, "pro", "month")
    row = cancel.cancel(ada.user, "period_end")
    assert (row.pending_kind, at_stripe(world, ada)["schedule"]) == ("", None)
    assert row.cancel_at == row.current_period_end


def test_leaving_while_past_due_leaves_nothing_to_pay(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    assert (ada.row.status, len(open_invoices(world, ada))) == ("past_due", 1)
    assert cancel.cancel(ada.user, "now").status == "canceled"
    assert open_invoices(world, ada) == []
    world.advance(days=30)
    world.deliver()
    assert ada.row.status == "canceled"


def test_an_invoice_that_stripe_would_not_close_at_once_is_closed_by_the_worker(world, ada, monkeypatch):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    with monkeypatch.context() as patched:
        patched.setattr("billing.lanes.writes.make", lambda write: None)
        cancel.cancel(ada.user, "now")
    assert len(open_invoices(world, ada)) == 1
    testing.work()
    assert open_invoices(world, ada) == []
    assert StripeWrite.objects.get().done_at


def test_resuming_what_goes_on_anyway_is_refused(world, ada):
    with pytest.raises(refusals.NotCancelling):
        cancel.resume(ada.user)


def test_who_never_had_a_subscription_is_refused(world, ada):
    charlie = world.sign_up("charlie@example.com")
    for refused in (lambda: cancel.cancel(charlie, "now"), lambda: cancel.resume(charlie)):
        with pytest.raises(refusals.NoSubscription):
            refused()
    cancel.cancel(ada.user, "now")
    with pytest.raises(refusals.NoSubscription):
        cancel.resume(ada.user)


@pytest.mark.parametrize("when", ["period_end", "now"])
def test_an_outage_changes_nothing(world, ada, when):
    with world.writes_failing(), pytest.raises(StripeUnavailable):
        cancel.cancel(ada.user, when)
    found = at_stripe(world, ada)
    assert (found["status"], found["cancel_at_period_end"]) == ("active", False)
    assert ada.row.cancel_at is None


def test_an_outage_between_two_writes_is_not_told_as_nothing_changed(world, monkeypatch):
    ada = world.subscribed(interval="year")
    change.change(ada.user, "pro", "month")
    monkeypatch.setattr("billing.lifecycle.live_subscription.Standing.update", fail)
    with pytest.raises(refusals.NotConfirmed):
        cancel.cancel(ada.user, "period_end")


def fail(*args, **kwargs):
    raise StripeUnavailable("Stripe is away")


@pytest.mark.parametrize("when", ["period_end", "now"])
def test_a_lost_answer_is_recovered_by_asking_again(world, ada, when):
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        cancel.cancel(ada.user, when)
    world.control("faults")
    row = cancel.cancel(ada.user, when)
    assert row.cancel_at or row.status == "canceled"


def test_after_a_lost_answer_asking_again_leaves_nothing_to_pay(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        cancel.cancel(ada.user, "now")
    world.control("faults")
    assert cancel.cancel(ada.user, "now").status == "canceled"
    assert open_invoices(world, ada) == []


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_cancelling_against_the_events_of_a_renewal_converges(world):
    ada = world.subscribed()
    world.advance(days=31)
    world.deliver(work=False)
    work = [lambda: cancel.cancel(ada.user, "now"), lambda: worker.drain(ada.customer)]
    outcomes = at_once(lambda number: work[number](), 2)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    world.deliver()
    assert (ada.row.status, at_stripe(world, ada)["status"]) == ("canceled", "canceled")
    assert world.said(ada).count("subscription_ended") == 1


# After the database was restored from a backup


@pytest.fixture
def restored(world, ada):
    """Cancelled and resumed since the backup, which knows of neither; Stripe still has both idempotency keys."""
    before = {model: list(model.objects.values()) for model in (Customer, Subscription)}
    cancel.cancel(ada.user, "period_end")
    cancel.resume(ada.user)
    for model, rows in before.items():
        for row in rows:
            model.objects.filter(pk=row["id"]).update(**row)


@pytest.mark.parametrize("when", ["period_end", "now"])
def test_a_cancellation_after_a_restore_is_made_at_stripe_and_no_old_answer_is_taken_for_it(world, ada, restored, when):
    bob = world.subscribed(email="bob@example.com")
    cancel.cancel(ada.user, when)
    found = at_stripe(world, ada)
    assert found["status"] == "canceled" or found["cancel_at_period_end"]
    assert at_stripe(world, bob)["cancel_at_period_end"] is False


def test_two_requests_of_one_kind_never_share_an_idempotency_key(world, ada):
    customer = Customer.objects.get(pk=ada.customer)
    keys = {customers.request_key(customer, "cancel") for _ in range(50)}
    assert len(keys) == 50
    assert all(key.startswith(f"cancel:{customer.pk}:") and len(key) <= 255 for key in keys)


@pytest.mark.parametrize("act", [cancel.cancel, cancel.resume], ids=["cancel", "resume"])
def test_what_stripe_answers_and_does_not_show_is_no_success(world, ada, monkeypatch, act):
    """As it answers a key that it has seen before: with what was so then."""
    if act is cancel.resume:
        cancel.cancel(ada.user, "period_end")
    monkeypatch.setattr("billing.lifecycle.live_subscription.Standing.update", lambda *args, **kwargs: {})
    with pytest.raises(refusals.NotConfirmed, match="does not show this change yet"):
        act(ada.user, "period_end") if act is cancel.cancel else act(ada.user)

"""A deletion goes on after a crash, a lost answer, an outage or a refusal, and calls nothing deleted before it is."""

from datetime import timedelta
from unittest import mock

import pytest
import stripe
from django.utils import timezone

from billing import signals, stripe_client, testing
from billing.events import sweep, worker
from billing.lifecycle import checkout, deletion
from billing.lifecycle.deletion import process, steps
from billing.models import AccountDeletion
from billing.stripe_client import StripeUnavailable
from billing.stripe_client.http_client import HttpClient
from billing.tests.lifecycle.test_deletion import leave, live_at_stripe
from billing.tests.parallel import at_once
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def try_again(leaving):
    """The next try's time has come."""
    AccountDeletion.objects.filter(pk=leaving.pk).update(next_attempt_at=timezone.now())
    sweep.sweep()
    testing.work()
    leaving.refresh_from_db()
    return leaving


@pytest.mark.postgres
def test_webhooks_while_leaving_do_not_bring_anything_back(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"note": "x"})
    deletion.begin(ada.user)
    world.deliver(work=False)
    outcomes = at_once(lambda _: worker.drain(ada.customer), 2)
    assert set(outcomes) <= {"drained", "busy"}, outcomes
    world.deliver()
    assert AccountDeletion.objects.get().is_done
    assert (ada.row.status, customer_row(ada).subscriber) == ("canceled", None)


# Crashes and outages


@pytest.mark.parametrize("step", [*process.STEPS, "done_at"])
def test_a_crash_after_any_step_is_gone_on_from(world, monkeypatch, step):
    """The worker dies as the next step begins; a later one finishes, and what was confirmed is not asked again."""
    ada = world.subscribed()
    fields = [*process.STEPS, "done_at"]
    following = fields[fields.index(step) :]
    crash = mock.Mock(side_effect=SystemExit)
    if step == "done_at":
        monkeypatch.setattr(process, "_finish", crash)
    else:
        monkeypatch.setitem(process.STEPS, step, crash)
    deletion.begin(ada.user)
    with pytest.raises(SystemExit):
        testing.work()
    leaving = AccountDeletion.objects.get()
    assert [field for field in fields if getattr(leaving, field) is None] == following
    assert customer_row(ada).subscriber == ada.user
    monkeypatch.undo()
    testing.work()
    leaving.refresh_from_db()
    assert leaving.is_done
    assert live_at_stripe(world) == []


@pytest.mark.parametrize("writes", [1, 2, 3, 4])
def test_lost_answers_are_found_done_at_the_next_look(world, writes):
    ada = world.subscribed()
    checkout_open = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    world.control("faults", api={"lose_answer": writes})
    leaving = leave(ada)
    for _ in range(5):
        leaving = leaving if leaving.is_done else try_again(leaving)
    assert leaving.is_done
    assert world.stripe("GET", f"subscription_schedules/{checkout_open['id']}")["status"] == "released"
    assert live_at_stripe(world) == []


def test_while_stripe_is_down_nothing_counts_as_deleted_and_all_is_tried_again(world):
    ada = world.subscribed()
    with world.writes_failing():
        leaving = leave(ada)
        waits = []
        for _ in range(4):
            waits.append((leaving.next_attempt_at - timezone.now()).total_seconds() / 60)
            leaving = try_again(leaving)
    bounds = zip((1, 5, 30, 60), waits, strict=True)
    assert all(minutes * 0.89 < wait < minutes * 1.11 for minutes, wait in bounds), waits
    assert (leaving.is_done, leaving.attempts) == (False, 5)
    assert "StripeUnanswered" in leaving.error_message
    assert customer_row(ada).subscriber == ada.user
    assert live_at_stripe(world) == [ada.subscription]
    assert try_again(leaving).is_done
    assert leaving.error_message == ""
    assert live_at_stripe(world) == []


def test_the_wait_is_never_longer_than_an_hour(world):
    leaving = AccountDeletion(attempts=50, requested_at=timezone.now(), lane="x")
    leaving.save()
    deletion.postpone(leaving, StripeUnavailable("down"))
    assert leaving.next_attempt_at - timezone.now() <= timedelta(hours=1)


def test_a_stripe_that_does_not_answer_at_all_is_an_outage_too(world):
    ada = world.subscribed()

    def nobody_there(*args, **kwargs):
        return b"{}", 503, {}

    with mock.patch.object(HttpClient, "send", nobody_there):
        leaving = leave(ada)
    assert not leaving.is_done
    assert try_again(leaving).is_done


def test_a_subscription_that_stripe_does_not_let_go_is_not_called_deleted(world, monkeypatch):
    ada = world.subscribed()
    monkeypatch.setattr(steps.stripe_client, "delete", lambda *args, **kwargs: {})
    leaving = leave(ada)
    assert not leaving.is_done
    assert ada.subscription in leaving.error_message
    assert leaving.next_step == "cancel subscriptions"


def refusing(path_end, code):
    """Stripe's post or delete that refuses a path with a code, and makes every other call."""

    def through(call):
        def refuse(path, **params):
            if path.endswith(path_end):
                raise stripe.InvalidRequestError("no", "id", code=code)
            return call(path, **params)

        return refuse

    return {name: through(getattr(stripe_client, name)) for name in ("post", "delete")}


def test_a_checkout_that_stripe_does_not_expire_keeps_the_account_closing(world, monkeypatch):
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month")
    leaving = deletion.begin(user)
    with monkeypatch.context() as patched:
        patched.setattr(steps.stripe_client, "post", refusing("/expire", "lock_timeout")["post"])
        testing.work()
    leaving.refresh_from_db()
    assert (leaving.is_done, leaving.next_step) == (False, "expire open Checkouts")
    assert world.stripe("GET", f"checkout/sessions/{attempt.session_id}")["status"] == "open"
    assert try_again(leaving).is_done


@pytest.mark.parametrize(("code", "is_done"), [("resource_missing", True), ("lock_timeout", False)])
def test_only_a_refusal_that_says_it_was_done_before_lets_a_step_pass(world, monkeypatch, code, is_done):
    ada = world.subscribed()
    monkeypatch.setattr(steps.stripe_client, "delete", refusing(ada.customer, code)["delete"])
    leaving = leave(ada)
    assert (leaving.is_done, bool(leaving.error_message)) == (is_done, not is_done)
    assert live_at_stripe(world) == []


def test_a_host_projects_receiver_that_raises_leaves_the_account_closing(world):
    ada = world.subscribed()

    def broken(**kwargs):
        raise KeyError("organisation")

    signals.account_closed.connect(broken)
    try:
        leaving = leave(ada)
    finally:
        signals.account_closed.disconnect(broken)
    assert not leaving.is_done
    assert "KeyError" in leaving.error_message
    assert customer_row(ada).subscriber == ada.user
    assert try_again(leaving).is_done

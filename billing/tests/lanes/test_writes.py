"""Writes we owe Stripe: each once for its cause, called off by its own cause alone, all of a kind together or none."""

from datetime import timedelta

import pytest
import stripe
from django.utils import timezone

from billing.lanes import tries, writes
from billing.models import Customer, Lane, StripeWrite

pytestmark = pytest.mark.django_db

Action = StripeWrite.Action


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_ada")


@pytest.fixture
def ben():
    return Customer.objects.create(pk="cus_ben")


def is_owed(lane):
    return sorted(write.object_id for write in writes.due_writes(lane))


def test_what_is_owed_twice_for_one_cause_is_owed_once_and_wakes_its_lane_alone(ada, ben):
    assert writes.owe(ada, "sub_1", "dp_1")
    assert not writes.owe(ada, "sub_1", "dp_1")
    assert writes.owe(ada, "sub_1", "dp_2"), "for another cause"
    assert writes.owe(ada, "sub_1", "dp_1", Action.REFUND), "another action"
    assert Lane.objects.get().pk == ada.pk
    assert Lane.objects.get().arrived == 3
    assert (len(writes.due_writes(ada.pk)), writes.due_writes(ben.pk)) == (3, [])


def test_a_lane_owes_what_is_neither_done_nor_withdrawn_be_it_due_or_not(ada, ben):
    writes.owe(ada, "sub_1", "dp_1")
    assert (writes.are_owed(ada.pk), writes.are_owed(ben.pk)) == (True, False)
    StripeWrite.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert writes.are_owed(ada.pk), "it is due later"
    for column in ("done_at", "withdrawn_at"):
        StripeWrite.objects.update(**{"done_at": None, "withdrawn_at": None, column: timezone.now()})
        assert not writes.are_owed(ada.pk)


def test_a_cause_that_has_gone_calls_off_its_own_cancellation_alone(ada, ben):
    for customer in (ada, ben):
        writes.owe(customer, f"sub_{customer.pk}", f"ch_{customer.pk}")
    writes.owe(ada, "in_1", "dp_1", Action.CLOSE_INVOICE)
    writes.owe(ada, "pi_1", f"ch_{ada.pk}", Action.REFUND)
    writes.withdraw_cancellation(f"ch_{ada.pk}")
    assert (is_owed(ada.pk), is_owed(ben.pk)) == (["in_1", "pi_1"], [f"sub_{ben.pk}"])
    assert list(StripeWrite.objects.exclude(withdrawn_at=None).values_list("object_id", flat=True)) == [f"sub_{ada.pk}"]


def test_what_is_done_is_not_called_off_and_what_was_called_off_keeps_its_time(ada):
    writes.owe(ada, "sub_1", "ch_1")
    StripeWrite.objects.update(done_at=timezone.now())
    writes.withdraw_cancellation("ch_1")
    assert StripeWrite.objects.get().withdrawn_at is None
    then = timezone.now() - timedelta(days=1)
    StripeWrite.objects.update(done_at=None, withdrawn_at=then)
    writes.withdraw_cancellation("ch_1")
    assert StripeWrite.objects.get().withdrawn_at == then


def test_what_was_called_off_is_owed_again_when_its_cause_returns(ada):
    writes.owe(ada, "sub_1", "ch_1")
    writes.withdraw_cancellation("ch_1")
    assert is_owed(ada.pk) == []
    assert not writes.owe(ada, "sub_1", "ch_1")
    assert is_owed(ada.pk) == ["sub_1"]


def test_what_waits_for_its_next_try_is_owed_from_that_moment(ada, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    writes.owe(ada, "sub_1", "ch_1")
    for wait, found in ((1, []), (0, ["sub_1"]), (-1, ["sub_1"])):
        StripeWrite.objects.update(next_attempt_at=now + timedelta(microseconds=wait))
        assert is_owed(ada.pk) == found


def test_a_cancellation_is_made_before_the_refund_it_leads_to_and_then_the_older_first(ada):
    for object_id, action in (
        ("pi_1", Action.REFUND),
        ("sub_2", Action.CANCEL_SUBSCRIPTION),
        ("in_1", "close_invoice"),
    ):
        writes.owe(ada, object_id, "ch_1", action)
    writes.owe(ada, "sub_1", "ch_1")
    StripeWrite.objects.filter(object_id="sub_1").update(requested_at=timezone.now() - timedelta(hours=1))
    assert [write.object_id for write in writes.due_writes(ada.pk)] == ["sub_1", "sub_2", "in_1", "pi_1"]


def test_all_that_is_owed_together_is_owed_or_nothing(ada, monkeypatch):
    owe, owed = writes.owe, []

    def dies_at_the_second(customer, object_id, *args):
        owed.append(object_id)
        if len(owed) == 2:
            raise KeyboardInterrupt
        return owe(customer, object_id, *args)

    monkeypatch.setattr(writes, "owe", dies_at_the_second)
    invoices = [(invoice, "sub_1", Action.CLOSE_INVOICE) for invoice in ("in_1", "in_2")]
    with pytest.raises(KeyboardInterrupt):
        writes.make_now(ada, invoices)
    assert not StripeWrite.objects.exists()
    assert not Lane.objects.exists()


def refused(code):
    def refuse(path, **params):
        raise stripe.InvalidRequestError("Stripe says no.", None, code=code)

    return refuse


@pytest.mark.parametrize("code", sorted(writes.NOTHING_LEFT))
def test_where_stripe_has_nothing_left_to_do_it_is_done(ada, ben, monkeypatch, code):
    for customer in (ada, ben):
        writes.owe(customer, f"sub_{customer.pk}", "dp_1")
    StripeWrite.objects.update(error_message="Stripe was away.")
    monkeypatch.setattr(writes.stripe_client, "delete", refused(code))
    writes.make(StripeWrite.objects.get(lane=ada.pk))
    done, bystander = StripeWrite.objects.get(lane=ada.pk), StripeWrite.objects.get(lane=ben.pk)
    assert (bool(done.done_at), done.error_message) == (True, "")
    assert (bystander.done_at, bystander.error_message) == (None, "Stripe was away.")


def test_what_came_too_late_is_withdrawn_with_its_reason_and_a_bystanders_is_not(ada, ben, monkeypatch):
    def too_late(write):
        raise writes.TooLate("It is gone.")

    for customer in (ada, ben):
        writes.owe(customer, f"sub_{customer.pk}", "dp_1")
    monkeypatch.setattr(writes, "_ask", too_late)
    writes.make(StripeWrite.objects.get(lane=ada.pk))
    gone, bystander = StripeWrite.objects.get(lane=ada.pk), StripeWrite.objects.get(lane=ben.pk)
    assert (bool(gone.withdrawn_at), gone.done_at, gone.error_message) == (True, None, "It is gone.")
    assert (bystander.withdrawn_at, bystander.error_message) == (None, "")


def test_in_an_outage_it_stays_owed_with_what_happened(ada, ben, monkeypatch):
    def away(path, **params):
        raise writes.StripeUnavailable("Stripe did not answer")

    for customer in (ada, ben):
        writes.owe(customer, f"sub_{customer.pk}", "dp_1")
    monkeypatch.setattr(writes.stripe_client, "delete", away)
    writes.make(StripeWrite.objects.get(lane=ada.pk))
    write, bystander = StripeWrite.objects.get(lane=ada.pk), StripeWrite.objects.get(lane=ben.pk)
    assert (write.done_at, write.attempts, "did not answer" in write.error_message) == (None, 1, True)
    assert (bystander.attempts, bystander.error_message) == (0, "")


def test_what_stripe_refuses_is_noted_on_its_own_row_and_asked_again_later(ada, ben, monkeypatch, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    monkeypatch.setattr(tries.random, "uniform", lambda low, high: 1)
    for customer in (ada, ben):
        writes.owe(customer, f"sub_{customer.pk}", "dp_1")
    monkeypatch.setattr(writes.stripe_client, "delete", refused("resource_locked"))
    for attempts, minutes in ((1, 1), (2, 5)):
        writes.make(StripeWrite.objects.get(lane=ada.pk))
        write = StripeWrite.objects.get(lane=ada.pk)
        assert (write.attempts, write.done_at, write.error_message) == (attempts, None, "Stripe says no.")
        assert write.next_attempt_at == timezone.now() + timedelta(minutes=minutes)
    bystander = StripeWrite.objects.get(lane=ben.pk)
    assert (bystander.attempts, bystander.next_attempt_at, bystander.error_message) == (0, None, "")


def test_each_try_has_a_key_of_its_own_and_each_action_its_call(ada, monkeypatch):
    calls = []

    def note(verb):
        def call(path, idempotency_key, **params):
            calls.append((verb, path, idempotency_key.rpartition(":")[2], params))

        return call

    for verb in ("post", "delete"):
        monkeypatch.setattr(writes.stripe_client, verb, note(verb))
    statuses = {"in_open": "open", "in_draft": "draft", "in_paid": "paid"}
    monkeypatch.setattr(writes.stripe_client, "get", lambda path: {"status": statuses[path.split("/")[-1]]})
    writes.owe(ada, "sub_1", "dp_1")
    writes.owe(ada, "pi_1", "sub_1", Action.REFUND)
    for invoice in statuses:
        writes.owe(ada, invoice, "sub_1", Action.CLOSE_INVOICE)
    StripeWrite.objects.filter(object_id="sub_1").update(attempts=3)
    for write in writes.due_writes(ada.pk):
        writes.make(write)
    assert calls == [
        ("delete", "/v1/subscriptions/sub_1", "3", {}),
        ("post", "/v1/invoices/in_open/void", "0", {}),
        ("post", "/v1/invoices/in_draft", "0", {"auto_advance": False}),
        ("post", "/v1/refunds", "0", {"payment_intent": "pi_1", "reason": "duplicate"}),
    ]
    assert not StripeWrite.objects.filter(done_at=None).exists()

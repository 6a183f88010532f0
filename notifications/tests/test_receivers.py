"""Each signal of billing's brings the mail of its name, with the facts it said, and no other."""

import pytest

from billing import signals
from notifications import mails, receivers

BRINGS = {
    "subscription_started": ("welcome", []),
    "subscription_changed": ("plan_changed", ["previous_plan"]),
    "trial_ending": ("trial_ending", ["trial_end"]),
    "trial_extended": ("trial_extended", ["trial_end"]),
    "renewal_coming": ("renewal_coming", ["renews_at"]),
    "card_expiring": ("card_expiring", ["expires_on"]),
    "change_scheduled": ("downgrade_scheduled", ["price", "at"]),
    "price_change_coming": ("price_change", ["change"]),
    "price_change_withdrawn": ("price_stays", ["change"]),
    "cancellation_scheduled": ("cancellation_scheduled", ["cancel_at"]),
    "subscription_ended": ("subscription_ended", ["reason"]),
    "collection_paused": ("payments_paused", []),
    "collection_resumed": ("payments_resumed", []),
    "discount_given": ("discount_given", ["discount"]),
    "discount_ended": ("discount_ended", ["discount"]),
    "access_granted": ("access_restored", ["revoked_because", "was_written_off"]),
    "access_revoked": ("access_on_hold", ["reason"]),
    "payment_succeeded": ("payment_received", ["payment"]),
    "payment_recovered": ("payment_recovered", ["payment"]),
    "payment_failed": ("payment_failed", ["failure"]),
    "payment_action_required": ("action_required", ["failure"]),
    "payment_processing": ("payment_processing", ["invoice"]),
    "invoice_sent": ("invoice_sent", ["invoice"]),
    "invoice_due_soon": ("invoice_due_soon", ["invoice"]),
    "invoice_overdue": ("invoice_overdue", ["invoice"]),
    "tax_address_missing": ("address_needed", ["invoice"]),
    "refund_failed": ("refund_failed", ["refund"]),
    "refund_issued": ("refund", ["refund"]),
    "dispute_opened": ("dispute_opened", ["dispute"]),
    "dispute_closed": ("dispute_closed", ["dispute"]),
    "quota_overflowed": ("quota_overflow", ["usage", "used", "limit", "resets_at"]),
    "spend_cap_reached": ("spend_cap_reached", ["subscriber", "amount", "currency", "policy", "resets_at"]),
}
# Their mails are not told of a subscription, since there may be none.
OF_NO_SUBSCRIPTION = {
    "purchase_waiting": ("pack_waiting", ["purchase"]),
    "purchase_completed": ("pack_delivered", ["purchase"]),
    "purchase_reversed": ("pack_reversed", ["purchase", "taken", "used"]),
    "credits_low": ("credits_low", ["subscriber", "credit", "left", "given"]),
    "credits_expiring": ("credits_expiring", ["credit", "expires_at"]),
}


@pytest.fixture
def called(monkeypatch):
    """The mails' functions that were called, each with its facts."""
    calls = []
    for name, _ in [*BRINGS.values(), *OF_NO_SUBSCRIPTION.values(), ("account_deleted", [])]:

        def ours(*facts, name=name):
            calls.append((name, facts))

        ours.__name__ = name
        monkeypatch.setattr(mails, name, ours)
    return calls


def receiver_of(name):
    return next(receiver for receiver, signal in receivers.RECEIVERS.items() if signal is getattr(signals, name))


def test_every_signal_that_is_mailed_about_stands_here():
    assert {receiver.__name__ for receiver in receivers.RECEIVERS} == {
        f"on_{name}" for name in [*BRINGS, *OF_NO_SUBSCRIPTION, "account_closed"]
    }
    for receiver, signal in receivers.RECEIVERS.items():
        assert signal is getattr(signals, receiver.__name__.removeprefix("on_"))


@pytest.mark.parametrize("name", BRINGS)
def test_it_brings_its_mail_with_its_facts_and_no_other(called, name):
    mail, facts = BRINGS[name]
    said = {fact: f"the {fact}" for fact in facts}
    said |= {"reason": "hold_staff"} if name == "access_revoked" else {}
    receiver_of(name)(signal=None, sender=None, subscription="the subscription", further="more", **said)
    assert called == [(mail, ("the subscription", *said.values()))]


@pytest.mark.parametrize("name", OF_NO_SUBSCRIPTION)
def test_what_is_bought_once_brings_its_mail_without_a_subscription(called, name):
    mail, facts = OF_NO_SUBSCRIPTION[name]
    said = {fact: f"the {fact}" for fact in facts}
    receiver_of(name)(signal=None, sender=None, subscription=None, further="more", **said)
    assert called == [(mail, tuple(said.values()))]


@pytest.mark.parametrize("reason", ["hold_dispute", "hold_refund", "grace_over", "canceled"])
def test_access_that_is_lost_for_what_another_mail_tells_of_brings_none(called, reason):
    receivers.on_access_revoked(subscription="the subscription", reason=reason)
    assert called == []


def test_who_never_bought_is_mailed_of_a_limit_and_of_nothing_else_that_was_given_or_ended(called):
    for because in ("", "no_subscription"):
        signals.access_granted.send(
            None, subscription=None, subscriber="ada", reason="grant", revoked_because=because, was_written_off=False
        )
    signals.access_revoked.send(None, subscription=None, subscriber="ada", reason="no_subscription")
    signals.grant_given.send(None, subscription=None, subscriber="ada", grant="a grant")
    signals.grant_ended.send(None, subscription=None, subscriber="ada", grant="a grant")
    assert called == []
    signals.quota_overflowed.send(
        None, subscription=None, subscriber="ada", usage="u", feature="exports", used=2, limit=1, resets_at="then"
    )
    assert called == [("quota_overflow", (None, "u", 2, 1, "then"))]


def test_an_account_that_was_closed_has_its_settled_mails_forgotten_and_is_told(called, monkeypatch):
    forgotten = []
    monkeypatch.setattr(receivers.redaction, "redact_finished", lambda *facts: forgotten.append(facts))
    receivers.on_account_closed(deletion="the deletion", email="ada@example.com", sender=None)
    assert forgotten == [("the deletion", "ada@example.com")]
    assert called == [("account_deleted", ("the deletion", "ada@example.com"))]


def own(*facts):
    own.calls.append(facts)


def test_a_project_has_its_own_function_called_in_place_of_ours_for_that_mail_alone(called, settings):
    settings.NOTIFICATIONS_FUNCTIONS = {"welcome": "notifications.tests.test_receivers.own"}
    own.calls = []
    for name in ("subscription_started", "payment_failed"):
        receiver_of(name)(subscription="s", **({"failure": "f"} if name == "payment_failed" else {}))
    assert own.calls == [("s",)]
    assert called == [("payment_failed", ("s", "f"))]


def test_each_signal_has_its_receiver_once(called):
    receivers.connect()
    for receiver, signal in receivers.RECEIVERS.items():
        ids = [entry[0][0] for entry in signal.receivers]
        assert ids.count(f"billing_mail.{receiver.__name__}") == 1

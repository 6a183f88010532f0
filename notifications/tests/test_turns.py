"""One of the mails that tell of one moment is sent, and the others are held back; switches, languages, own
functions."""

from datetime import date, timedelta

import pytest
from django.core.checks import run_checks

from billing import signals
from billing.models import (
    AccountDeletion,
    Customer,
    Dispute,
    Hold,
    InvoicePayment,
    Price,
    StripeWrite,
    Subscription,
)
from notifications import reasons
from notifications.models import Mail

from .conftest import DECEMBER, JANUARY

Status = Mail.Status
pytestmark = pytest.mark.django_db


def say(signal, subscription, **details):
    signal.send(sender=Subscription, subscription=subscription, **details)


def sent():
    return sorted(Mail.objects.filter(status=Status.SENT).values_list("kind", flat=True))


def error_of(kind):
    return Mail.objects.get(kind=kind).error


def test_a_payment_that_ends_a_past_due_time_brings_one_mail_which_is_the_receipt(subscription, payment, work):
    row = payment()
    say(signals.payment_succeeded, subscription, payment=row)
    say(signals.payment_recovered, subscription, payment=row)
    say(signals.access_granted, subscription, reason="active", revoked_because="grace_over")
    work()
    assert sent() == ["payment_recovered"]
    assert error_of("access_restored") == reasons.TOLD_BETTER


def test_with_the_better_one_off_the_receipt_is_sent(subscription, payment, work, settings):
    settings.NOTIFICATIONS_OFF = {"payment_recovered"}
    row = payment()
    say(signals.payment_succeeded, subscription, payment=row)
    say(signals.payment_recovered, subscription, payment=row)
    work()
    assert sent() == ["payment_received"]


@pytest.fixture
def won(customer, dispute):
    """A dispute of a payment for the plan, which was won; its hold was released by that."""
    InvoicePayment.objects.create(pk="inpay_1", invoice_id="in_1", customer=customer, subscription_id="sub_1")
    Dispute.objects.update(status="won", invoice_id="in_1")
    Hold.objects.create(
        customer=customer, kind="dispute", reference=dispute.pk, placed_at=DECEMBER, released_at=DECEMBER
    )
    dispute.refresh_from_db()
    return dispute


def test_a_won_dispute_says_itself_that_access_is_back(subscription, won, work):
    say(signals.access_granted, subscription, reason="active", revoked_because="hold_dispute")
    say(signals.dispute_closed, subscription, dispute=won)
    work()
    assert sent() == ["dispute_closed"]


@pytest.mark.parametrize("change", ["a_one_off", "released_by_staff", "held_nothing"])
def test_a_won_dispute_that_gave_no_access_back_does_not_say_it(subscription, won, work, change, mailoutbox):
    if change == "released_by_staff":
        Hold.objects.update(released_by="staff:1")
    else:
        Hold.objects.all().delete()
    if change == "a_one_off":
        InvoicePayment.objects.update(subscription_id="")
    say(signals.access_granted, subscription, reason="active", revoked_because="hold_fraud")
    say(signals.dispute_closed, subscription, dispute=won)
    work()
    assert sent() == ["access_restored", "dispute_closed"]
    assert "access is back" not in mailoutbox[1].body


def test_a_lost_dispute_is_told_by_the_end_it_brings(subscription, dispute):
    Dispute.objects.update(status="lost")
    dispute.refresh_from_db()
    write = {"action": StripeWrite.Action.CANCEL_SUBSCRIPTION, "object_id": "sub_1", "reference": dispute.pk}
    StripeWrite.objects.create(lane=subscription.customer_id, requested_at=DECEMBER, **write)
    say(signals.dispute_closed, subscription, dispute=dispute)
    assert error_of("dispute_closed") == reasons.THE_END_SAYS_IT


def test_access_that_staff_gave_back_is_told(subscription, work):
    say(signals.access_granted, subscription, reason="active", revoked_because="hold_staff")
    work()
    assert sent() == ["access_restored"]


def test_the_start_tells_of_access_alone(subscription, work):
    say(signals.subscription_started, subscription)
    say(signals.access_granted, subscription, reason="active", revoked_because="")
    work()
    assert sent() == ["welcome"]


def test_a_change_that_was_scheduled_is_told_once_and_taken_back_not_at_all(subscription, work):
    row = Subscription.objects.get()
    row.pending_kind, row.pending_at = "scheduled", JANUARY
    row.save()
    say(signals.change_scheduled, row, price=None, at=JANUARY)
    work()
    assert sent() == ["downgrade_scheduled"]
    say(signals.change_scheduled, row, price=None, at=JANUARY + timedelta(days=31))
    assert Mail.objects.get(status=Status.SKIPPED).error == reasons.CHANGED_AGAIN


def test_a_new_card_makes_the_warning_needless(subscription, work):
    Subscription.objects.update(card_brand="visa", card_last4="4242", card_expires_on=date(2026, 12, 31))
    row = Subscription.objects.get()
    say(signals.card_expiring, row, expires_on=row.card_expires_on)
    Subscription.objects.update(card_last4="4444", card_expires_on=date(2029, 1, 31))
    work()
    assert error_of("card_expiring") == reasons.NEW_CARD


def test_a_renewal_that_was_cancelled_meanwhile_is_not_told(subscription, work):
    say(signals.renewal_coming, subscription, renews_at=JANUARY)
    Subscription.objects.update(cancel_at=JANUARY)
    work()
    assert error_of("renewal_coming") == reasons.MOVED


LIVE_ONLY = {
    "welcome": (signals.subscription_started, {}),
    "trial_ending": (signals.trial_ending, {"trial_end": JANUARY}),
    "renewal_coming": (signals.renewal_coming, {"renews_at": JANUARY}),
    "card_expiring": (signals.card_expiring, {"expires_on": date(2026, 12, 31)}),
    "plan_changed": (signals.subscription_changed, {"previous_plan": None}),
    "downgrade_scheduled": (signals.change_scheduled, {"price": None, "at": JANUARY}),
}


@pytest.mark.parametrize(
    ("cancel_at", "is_told"), [(None, True), (JANUARY + timedelta(seconds=1), True), (JANUARY, False)]
)
def test_a_renewal_is_told_unless_it_is_cancelled_by_then(subscription, work, cancel_at, is_told):
    Subscription.objects.update(cancel_at=cancel_at)
    say(signals.renewal_coming, subscription, renews_at=JANUARY)
    work()
    assert sent() == (["renewal_coming"] if is_told else [])


@pytest.mark.parametrize(
    ("moved_by", "is_told"), [({"hours": 14}, True), ({"hours": 15}, False), ({"days": -1}, False)]
)
def test_the_day_of_a_renewal_counts_and_not_its_second(subscription, work, moved_by, is_told):
    say(signals.renewal_coming, subscription, renews_at=JANUARY)
    Subscription.objects.update(current_period_end=JANUARY + timedelta(**moved_by))
    work()
    assert sent() == (["renewal_coming"] if is_told else [])


def test_a_trial_that_has_become_a_subscription_ends_no_more(in_everything, work):
    say(signals.trial_ending, in_everything, trial_end=JANUARY)
    Subscription.objects.update(status="active")
    work()
    assert error_of("trial_ending") == reasons.MOVED


@pytest.mark.parametrize("column", ["price", "quantity"])
def test_a_plan_that_has_changed_again_is_not_told_of(subscription, work, column):
    other = Price.objects.create(
        pk="price_other", plan=subscription.plan, currency="usd", unit_amount=1, interval="month"
    )
    say(signals.subscription_changed, subscription, previous_plan=None)
    Subscription.objects.update(**{column: {"price": other, "quantity": 2}[column]})
    work()
    assert error_of("plan_changed") == reasons.CHANGED_AGAIN


def test_a_change_whose_period_is_not_known_is_told(subscription, work):
    subscription.current_period_start = None
    subscription.save()
    say(signals.subscription_changed, subscription, previous_plan=None)
    work()
    assert sent() == ["plan_changed"]


@pytest.mark.parametrize(("status", "why"), [("warning_closed", reasons.INQUIRY), ("needs_response", reasons.INQUIRY),
                                             ("won", ""), ("lost", "")])  # fmt: skip
def test_only_a_dispute_that_was_decided_is_told_as_closed(subscription, dispute, status, why):
    Dispute.objects.update(status=status)
    write = {"action": StripeWrite.Action.CANCEL_SUBSCRIPTION, "object_id": "sub_2", "reference": "dp_other"}
    StripeWrite.objects.create(lane="cus_bob", requested_at=DECEMBER, **write)
    assert reasons.not_to_send(Mail(kind="dispute_closed", recipient="a@b", context={"dispute": dispute.pk})) == why


@pytest.mark.parametrize(
    ("status", "is_withdrawn", "why"),
    [("lost", False, reasons.THE_END_SAYS_IT), ("lost", True, ""), ("won", False, ""), ("won", True, "")],
)
def test_a_closed_dispute_is_left_to_the_end_only_if_it_is_lost_and_brings_one(
    subscription, dispute, status, is_withdrawn, why
):
    Dispute.objects.update(status=status)
    write = {"action": StripeWrite.Action.CANCEL_SUBSCRIPTION, "object_id": "sub_1", "reference": dispute.pk}
    withdrawn_at = DECEMBER if is_withdrawn else None
    StripeWrite.objects.create(lane=subscription.customer_id, requested_at=DECEMBER, withdrawn_at=withdrawn_at, **write)
    assert reasons.not_to_send(Mail(kind="dispute_closed", recipient="a@b", context={"dispute": dispute.pk})) == why


def test_a_dispute_that_is_not_there_is_told_neither_as_opened_nor_as_closed(subscription, dispute):
    facts = {"recipient": "a@b", "context": {"dispute": "dp_nobody"}}
    assert reasons.not_to_send(Mail(kind="dispute_opened", **facts)) == reasons.DISPUTE_CLOSED
    assert reasons.not_to_send(Mail(kind="dispute_closed", **facts)) == reasons.INQUIRY


@pytest.fixture
def in_everything(subscription):
    """A trial that ends as its period does, with a change scheduled for that day and a card that expires before."""
    Subscription.objects.update(
        status="trialing",
        trial_end=JANUARY,
        pending_kind="scheduled",
        pending_at=JANUARY,
        card_last4="4242",
        card_expires_on=date(2026, 12, 31),
    )
    return Subscription.objects.get()


@pytest.mark.parametrize("kind", LIVE_ONLY)
def test_while_it_goes_on_each_of_these_is_told(in_everything, work, kind):
    signal, details = LIVE_ONLY[kind]
    say(signal, in_everything, **details)
    work()
    assert sent() == [kind]


@pytest.mark.parametrize("kind", LIVE_ONLY)
@pytest.mark.parametrize("status", sorted(Subscription.TERMINAL))
def test_who_has_ended_meanwhile_is_told_none_of_these(in_everything, work, kind, status):
    signal, details = LIVE_ONLY[kind]
    say(signal, in_everything, **details)
    Subscription.objects.update(status=status)
    work()
    assert (sent(), error_of(kind)) == ([], reasons.OVER)


@pytest.mark.parametrize("kind", LIVE_ONLY)
def test_whose_subscription_is_another_meanwhile_is_told_none_of_these(in_everything, work, kind):
    signal, details = LIVE_ONLY[kind]
    say(signal, in_everything, **details)
    Subscription.objects.update(stripe_id="sub_2")
    work()
    assert (sent(), error_of(kind)) == ([], reasons.OVER)


@pytest.mark.parametrize("kind", LIVE_ONLY)
def test_a_deleted_account_gets_none_of_these_mails_and_a_bystanders_deletion_changes_nothing(
    in_everything, work, kind
):
    signal, details = LIVE_ONLY[kind]
    say(signal, in_everything, **details)
    bystander = Customer.objects.create(pk="cus_bob")
    row = AccountDeletion.objects.create(customer=bystander, lane=bystander.pk, requested_at=DECEMBER)
    mail = Mail.objects.get()
    assert reasons.not_to_send(mail) == ""
    AccountDeletion.objects.filter(pk=row.pk).update(customer=in_everything.customer)
    work()
    assert (sent(), error_of(kind)) == ([], reasons.BEING_DELETED)


@pytest.mark.parametrize(
    ("setting", "why"), [("NOTIFICATIONS_OFF", reasons.OFF), ("NOTIFICATIONS_BY_STRIPE", reasons.BY_STRIPE)]
)
def test_what_is_switched_off_or_mailed_by_stripe_is_held_back_and_says_so(subscription, settings, setting, why):
    setattr(settings, setting, ["welcome"])
    say(signals.subscription_started, subscription)
    assert (error_of("welcome"), Mail.objects.get().status) == (why, Status.SKIPPED)


def test_a_kind_that_is_none_and_a_function_that_is_not_there_are_found_at_start_up(settings):
    settings.NOTIFICATIONS_OFF, settings.NOTIFICATIONS_FUNCTIONS = {"welcom"}, {"welcome": "nowhere.mails.welcome"}
    found = {message.id for message in run_checks() if message.id and message.id.startswith("billing_mail.")}
    assert found == {"billing_mail.E001", "billing_mail.E002"}


def own_welcome(subscription):
    Mail.objects.create(key="own", kind="welcome", created_at=DECEMBER, next_attempt_at=DECEMBER)


def test_a_project_has_its_own_function_called(subscription, settings):
    settings.NOTIFICATIONS_FUNCTIONS = {"welcome": f"{__name__}.own_welcome"}
    say(signals.subscription_started, subscription)
    assert Mail.objects.get().key == "own"


def german(subscriber):
    return "de"


def test_the_language_is_the_settings_then_the_subscribers_then_stripes(subscription, settings):
    customer = subscription.customer
    customer.preferred_locale = "fr-CA"
    say(signals.subscription_started, subscription)
    assert Mail.objects.get().language == "fr"
    customer.subscriber.language = "en"
    say(signals.subscription_ended, subscription, reason="")
    assert Mail.objects.get(kind="subscription_cancelled").language == "en"
    settings.NOTIFICATIONS_LANGUAGE_OF = f"{__name__}.german"
    say(signals.access_granted, subscription, reason="active", revoked_because="hold_staff")
    assert Mail.objects.get(kind="access_restored").language == "de"

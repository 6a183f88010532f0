"""Each signal brings its mail, under its key, with its facts."""

from datetime import timedelta

import pytest

from billing import signals
from billing.models import Dispute, PaymentFailure, StripeWrite, Subscription
from notifications import reasons
from notifications.models import Mail

from .conftest import DECEMBER, JANUARY

Status = Mail.Status
pytestmark = pytest.mark.django_db


def the_mail():
    return Mail.objects.get()


def say(signal, subscription, **details):
    signal.send(sender=Subscription, subscription=subscription, **details)


# Payments


def test_a_payment_is_receipted(subscription, payment):
    say(signals.payment_succeeded, subscription, payment=payment())
    mail = the_mail()
    assert (mail.key, mail.kind) == ("payment_received:in_1", "payment_received")
    assert (mail.recipient, mail.customer) == ("alice@example.com", subscription.customer)
    assert mail.context["amount"] == 1900
    assert mail.context["plan"] == "Pro"
    assert mail.context["period_end"] == JANUARY.isoformat()


def test_nothing_charged_is_no_receipt(subscription, payment):
    say(signals.payment_succeeded, subscription, payment=payment(amount=0))
    assert (the_mail().status, the_mail().error) == (Status.SKIPPED, reasons.NOTHING_CHARGED)


def test_a_payment_without_a_plan_or_period_is_receipted_too(subscription, payment):
    subscription.plan = None
    say(signals.payment_succeeded, subscription, payment=payment(period_start=None, period_end=None))
    assert (the_mail().context["plan"], the_mail().context["period_end"]) == ("", "")


def test_a_failed_payment_tells_the_next_try_and_the_end_of_grace(subscription, failure, time_machine):
    time_machine.move_to(DECEMBER)
    subscription.past_due_since = DECEMBER
    say(signals.payment_failed, subscription, failure=failure)
    mail = the_mail()
    assert (mail.key, mail.kind) == ("payment_failed:in_1:1", "payment_failed")
    assert mail.context["next_attempt_at"] == (DECEMBER + timedelta(days=3)).isoformat()
    assert mail.context["grace_ends_at"] == (DECEMBER + timedelta(days=3)).isoformat()
    assert mail.context["is_grace_over"] is False
    assert mail.context["invoice"] == "in_1"


def test_a_failure_after_grace_says_that_access_is_on_hold(subscription, failure, time_machine):
    time_machine.move_to(DECEMBER + timedelta(days=5))
    subscription.past_due_since = DECEMBER
    say(signals.payment_failed, subscription, failure=failure)
    assert the_mail().context["is_grace_over"] is True


def test_a_failure_of_a_one_off_invoice_knows_no_grace(subscription, failure):
    subscription.past_due_since = DECEMBER
    failure.subscription_id = ""
    say(signals.payment_failed, subscription, failure=failure)
    assert the_mail().context["grace_ends_at"] == ""


def test_each_attempt_is_told(subscription, failure):
    say(signals.payment_failed, subscription, failure=failure)
    second = PaymentFailure.objects.get()
    second.pk, second.attempt = None, 2
    second.save()
    say(signals.payment_failed, subscription, failure=second)
    assert set(Mail.objects.values_list("key", flat=True)) == {"payment_failed:in_1:1", "payment_failed:in_1:2"}


def test_a_payment_that_waits_for_3d_secure_has_the_key_of_the_failure(subscription, failure):
    say(signals.payment_action_required, subscription, failure=failure)
    assert (the_mail().key, the_mail().kind) == ("payment_failed:in_1:1", "action_required")


# Disputes and refunds


def test_a_dispute_is_told(subscription, dispute):
    say(signals.dispute_opened, subscription, dispute=dispute)
    assert (the_mail().key, the_mail().status) == ("dispute_opened:dp_1", Status.QUEUED)


def test_an_inquiry_is_told_only_once_it_becomes_a_dispute(subscription, dispute):
    Dispute.objects.update(status="warning_needs_response")
    say(signals.dispute_opened, subscription, dispute=dispute)
    assert the_mail().error == reasons.INQUIRY
    Dispute.objects.update(status="needs_response")
    say(signals.dispute_opened, subscription, dispute=dispute)
    assert the_mail().status == Status.QUEUED


def test_a_dispute_closed_before_its_mail_went_out_is_not_told(subscription, dispute, work):
    say(signals.dispute_opened, subscription, dispute=dispute)
    Dispute.objects.update(status="won")
    assert work() == [Status.SKIPPED]


def test_a_refund_is_told(subscription, refund):
    say(signals.refund_issued, subscription, refund=refund)
    mail = the_mail()
    assert (mail.key, mail.context["amount"], mail.context["is_full"]) == ("refund:re_1", 500, False)


def test_a_refund_that_failed_meanwhile_is_not_told(subscription, refund, work):
    say(signals.refund_issued, subscription, refund=refund)
    refund.status = "failed"
    refund.save()
    assert work() == [Status.SKIPPED]


# The end


def test_a_scheduled_cancellation_is_told_once_for_each_date(subscription):
    for cancel_at in (JANUARY, JANUARY, JANUARY + timedelta(days=31)):
        subscription.cancel_at = cancel_at
        subscription.save()
        say(signals.cancellation_scheduled, subscription, cancel_at=cancel_at)
    assert set(Mail.objects.values_list("key", flat=True)) == {
        "subscription_cancelled:sub_1:2027-01-01",
        "subscription_cancelled:sub_1:2027-02-01",
    }


def test_a_cancellation_taken_back_is_not_told(subscription, work):
    subscription.cancel_at = JANUARY
    subscription.save()
    say(signals.cancellation_scheduled, subscription, cancel_at=JANUARY)
    subscription.cancel_at = None
    subscription.save()
    assert work() == [Status.SKIPPED]
    assert the_mail().error == reasons.NOT_SCHEDULED


def test_the_end_is_told_once(subscription):
    for _ in range(2):
        say(signals.subscription_ended, subscription, reason="cancellation_requested")
    assert the_mail().key == "subscription_cancelled:sub_1:ended"
    assert the_mail().context["cause"] == "cancellation_requested"


def test_the_end_by_a_full_refund_says_so(subscription):
    _owe_cancellation(subscription, reference="ch_1")
    say(signals.subscription_ended, subscription, reason="cancellation_requested")
    assert the_mail().context["cause"] == "refund"


def test_the_end_by_a_lost_dispute_says_so(subscription, dispute):
    _owe_cancellation(subscription, reference=dispute.pk)
    say(signals.subscription_ended, subscription, reason="cancellation_requested")
    assert the_mail().context["cause"] == "dispute"


def test_a_withdrawn_cause_is_not_blamed(subscription):
    _owe_cancellation(subscription, reference="ch_1", withdrawn_at=DECEMBER)
    say(signals.subscription_ended, subscription, reason="payment_failed")
    assert the_mail().context["cause"] == "payment_failed"


def test_a_change_that_was_undone_is_no_cause_of_the_end(subscription):
    _owe_cancellation(subscription, reference="7", action="undo_change")
    say(signals.subscription_ended, subscription, reason="cancellation_requested")
    assert the_mail().context["cause"] == "cancellation_requested"


def test_stripes_own_end_of_a_disputed_subscription_is_the_disputes(subscription):
    say(signals.subscription_ended, subscription, reason="payment_disputed")
    assert the_mail().context["cause"] == "dispute"


def test_a_subscription_that_never_started_has_no_end_to_tell(subscription):
    subscription.status = Subscription.Status.INCOMPLETE_EXPIRED
    subscription.save()
    say(signals.subscription_ended, subscription, reason="")
    assert the_mail().error == reasons.NEVER_STARTED


# Addresses


def test_without_an_address_at_stripe_the_subscribers_own_is_used(subscription):
    subscription.customer.email = ""
    say(signals.subscription_ended, subscription, reason="")
    assert the_mail().recipient == "alice@example.com"


def test_an_unlinked_customer_without_address_is_not_mailed(subscription):
    subscription.customer.email, subscription.customer.subscriber = "", None
    say(signals.subscription_ended, subscription, reason="")
    assert the_mail().error == reasons.NO_ADDRESS


def _owe_cancellation(subscription, action=StripeWrite.Action.CANCEL_SUBSCRIPTION, **columns):
    StripeWrite.objects.create(
        lane=subscription.customer_id,
        action=action,
        object_id=subscription.stripe_id,
        requested_at=DECEMBER,
        **columns,
    )

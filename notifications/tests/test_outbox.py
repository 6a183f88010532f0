"""A mail is reserved once, sent once, tried again only while it is certain that it was not accepted."""

from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone
from django_q.conf import Conf

from billing.lanes import tries
from billing.models import Payment
from billing.stripe_client import home
from notifications import mails, outbox, reasons, rendering
from notifications.models import Mail

Status = Mail.Status
IN_HALF_A_YEAR = timezone.now() + timedelta(days=180)
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def provider(monkeypatch, mailoutbox):
    """Make the provider raise the given errors for the next mails, one a mail, then accept."""
    errors: list[BaseException] = []
    accept = EmailBackend.send_messages

    def send_messages(self, messages):
        if errors:
            raise errors.pop(0)
        return accept(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)
    return errors


# Reserving


def test_reserving_twice_is_one_row_and_one_wake_up(reserve, queue):
    first, second = reserve(), reserve()
    assert first.pk == second.pk
    assert queue() == [str(first.pk)]


def test_a_reservation_goes_with_its_transaction(reserve, queue):
    with transaction.atomic():
        reserve()
        transaction.set_rollback(True)
    assert not Mail.objects.exists()
    assert queue() == []


def test_where_the_queue_is_elsewhere_the_wake_up_waits_for_the_commit(
    reserve, monkeypatch, django_capture_on_commit_callbacks
):
    woken: list[str] = []
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr("billing.queues.django_q2.async_task", lambda path, mail_id: woken.append(mail_id))
    with django_capture_on_commit_callbacks(execute=True):
        mail = reserve()
        assert woken == []
    assert woken == [str(mail.pk)]


def test_a_customer_without_an_address_is_not_mailed(reserve, queue):
    mail = reserve(recipient="")
    assert (mail.status, mail.error) == (Status.SKIPPED, reasons.NO_ADDRESS)
    assert queue() == []


def in_half_a_year():
    return IN_HALF_A_YEAR


def test_it_is_decided_on_by_the_clock_of_the_rules_and_due_by_the_real_one(reserve, work, settings):
    """The mail stands beside its reason in the subscriber's story, though the sandbox's clock runs ahead."""
    settings.BILLING_CLOCK = "notifications.tests.test_outbox.in_half_a_year"
    mail = reserve()
    assert mail.created_at == IN_HALF_A_YEAR
    assert work() == [Status.SENT]


# Sending


def test_a_reserved_mail_is_sent_and_stamped(reserve, work, mailoutbox):
    mail = reserve()
    assert work() == [Status.SENT]
    mail.refresh_from_db()
    assert mail.sent_at is not None
    assert mail.token is None
    [message] = mailoutbox
    assert message.to == ["alice@example.com"]
    assert message.extra_headers["Message-ID"] == mail.message_id
    assert message.metadata == {"mail": "payment_received:in_1", "message": mail.message_id}


def test_a_task_delivered_twice_sends_once(reserve, mailoutbox):
    mail = reserve()
    assert [outbox.deliver(str(mail.pk)), outbox.deliver(str(mail.pk))] == [Status.SENT, "not due"]
    assert len(mailoutbox) == 1


def test_a_mail_that_another_worker_has_is_left_alone(reserve, mailoutbox):
    mail = reserve()
    assert outbox._claim(str(mail.pk)) is not None
    assert outbox.deliver(str(mail.pk)) == "not due"
    assert mailoutbox == []


def test_a_mail_that_is_gone_is_no_error(reserve):
    mail = reserve()
    Mail.objects.all().delete()
    assert outbox.deliver(str(mail.pk)) == "not due"


# Crashes


def test_a_crash_before_the_hand_over_is_tried_again(reserve, work, later, monkeypatch, mailoutbox):
    mail = reserve()
    with monkeypatch.context() as broken:
        broken.setattr(rendering, "compose", _killed)
        with pytest.raises(SystemExit):
            work()
    outbox.sweep()
    assert work() == [], "its lease still runs"
    later(minutes=6)
    outbox.sweep()
    assert work() == [Status.SENT]
    assert len(mailoutbox) == 1
    mail.refresh_from_db()
    assert mail.attempts == 2


def test_a_crash_after_the_hand_over_is_left_to_a_person(reserve, provider, work, later, mailoutbox):
    mail = reserve()
    provider.append(SystemExit())
    with pytest.raises(SystemExit):
        work()
    for _ in range(3):
        later(hours=12)
        outbox.sweep()
        work()
    mail.refresh_from_db()
    assert (mail.status, mail.error) == (Status.UNCONFIRMED, outbox.LOST_ANSWER)
    assert mailoutbox == []


def test_a_worker_that_was_only_slow_still_says_that_it_was_sent(reserve, later):
    reserve()
    mail = outbox._claim(str(Mail.objects.get().pk))
    assert outbox._begin(mail)
    later(minutes=10)
    outbox.sweep()
    outbox._record_state(mail, Status.SENT, sent_at=timezone.now())
    mail.refresh_from_db()
    assert mail.status == Status.SENT


def test_a_mail_that_kills_every_worker_is_given_up(reserve, work, later, monkeypatch):
    mail = reserve()
    monkeypatch.setattr(rendering, "compose", _killed)
    for _ in range(outbox.LAST_ATTEMPT):
        with pytest.raises(SystemExit):
            work()
        later(minutes=10)
        outbox.sweep()
    mail.refresh_from_db()
    assert (mail.status, mail.error) == (Status.FAILED, outbox.CRASHED)


def test_a_lost_wake_up_is_found_by_the_sweep_and_a_waiting_one_is_not_doubled(reserve, queue, later):
    mail = reserve()
    assert outbox.sweep() == 0
    later(minutes=6)
    assert outbox.sweep() == 1
    assert queue() == [str(mail.pk)] * 2


# A provider in trouble


def test_while_the_provider_is_down_mail_waits_and_is_sent_later(reserve, provider, work, later, mailoutbox):
    mail = reserve()
    provider.append(ConnectionRefusedError(111, "Connection refused"))
    assert work() == [Status.QUEUED]
    mail.refresh_from_db()
    assert "Connection refused" in mail.error
    assert timedelta(seconds=50) < mail.next_attempt_at - timezone.now() < timedelta(seconds=70)
    assert outbox.sweep() == 0
    later(seconds=70)
    assert outbox.sweep() == 1
    assert work() == [Status.SENT]
    mail.refresh_from_db()
    assert mail.error == ""
    assert len(mailoutbox) == 1


def test_tries_grow_rarer_and_end_as_failed(reserve, provider, work, later):
    mail = reserve()
    provider += [ConnectionRefusedError() for _ in range(outbox.LAST_ATTEMPT)]
    states = work()
    for wait in tries.WAITS:
        later(seconds=int(wait.total_seconds() * 0.8))
        assert outbox.sweep() == 0
        later(seconds=int(wait.total_seconds() * 0.4))
        outbox.sweep()
        states += work()
    assert states == [Status.QUEUED] * len(tries.WAITS) + [Status.FAILED]
    mail.refresh_from_db()
    assert "ConnectionRefusedError" in mail.error


def test_an_answer_that_never_came_is_left_to_a_person(reserve, provider, work, later):
    mail = reserve()
    provider.append(TimeoutError("timed out"))
    assert work() == [Status.UNCONFIRMED]
    later(days=1)
    assert outbox.sweep() == 0
    mail.refresh_from_db()
    assert "timed out" in mail.error


def test_a_connection_that_cannot_be_opened_is_no_doubt_at_all(reserve, work, monkeypatch):
    mail = reserve()
    monkeypatch.setattr(EmailBackend, "open", _times_out)
    assert work() == [Status.QUEUED]
    mail.refresh_from_db()
    assert "TimeoutError" in mail.error


def test_a_bug_of_ours_is_recorded_on_the_mail_and_shown_by_the_queue(reserve, work, monkeypatch):
    mail = reserve()
    monkeypatch.setattr(rendering, "compose", _has_a_bug)
    with pytest.raises(KeyError):
        work()
    mail.refresh_from_db()
    assert (mail.status, mail.error) == (Status.QUEUED, "KeyError: 'amount'")


# Reasons that pass


def test_an_invoice_paid_before_the_reservation_is_not_mailed_about(subscription, failure, payment, queue):
    payment()
    mail = mails.payment_failed(subscription, failure)
    assert (mail.status, mail.error) == (Status.SKIPPED, reasons.PAID)
    assert queue() == []


@pytest.mark.parametrize("announce", [mails.payment_failed, mails.action_required])
def test_an_invoice_paid_in_between_is_not_mailed_about(subscription, failure, payment, work, mailoutbox, announce):
    mail = announce(subscription, failure)
    payment()
    assert work() == [Status.SKIPPED]
    mail.refresh_from_db()
    assert mail.error == reasons.PAID
    assert mailoutbox == []


def test_another_invoice_paid_changes_nothing(subscription, failure, payment, work):
    payment("in_2")
    mails.payment_failed(subscription, failure)
    assert work() == [Status.SENT]


def test_a_skipped_mail_whose_reason_returns_is_sent_after_all(subscription, failure, payment, work):
    payment()
    mails.payment_failed(subscription, failure)
    Payment.objects.all().delete()
    mails.payment_failed(subscription, failure)
    assert work() == [Status.SENT]


# Two announcements of one waiting payment


def test_action_required_takes_the_place_of_a_failure_not_yet_mailed(subscription, failure, work, mailoutbox):
    mails.payment_failed(subscription, failure)
    mails.action_required(subscription, failure)
    work()
    assert [message.subject for message in mailoutbox] == ["Please confirm your payment of $19.00"]


def test_a_failure_does_not_take_the_place_of_action_required(subscription, failure, work, mailoutbox):
    mails.action_required(subscription, failure)
    mails.payment_failed(subscription, failure)
    work()
    assert [message.subject for message in mailoutbox] == ["Please confirm your payment of $19.00"]


def test_once_the_failure_is_mailed_action_required_says_nothing_more(subscription, failure, work, mailoutbox):
    mails.payment_failed(subscription, failure)
    work()
    mails.action_required(subscription, failure)
    work()
    assert len(mailoutbox) == 1


def test_a_worker_about_to_mail_the_failure_finds_its_words_replaced(subscription, failure, work, mailoutbox):
    claimed = outbox._claim(str(mails.payment_failed(subscription, failure).pk))
    mails.action_required(subscription, failure)
    outbox._attempt(claimed)
    assert mailoutbox == []
    work()
    assert [message.subject for message in mailoutbox] == ["Please confirm your payment of $19.00"]


# Again, by a person


def test_a_person_may_send_an_unconfirmed_mail_again(reserve, provider, work, mailoutbox):
    mail = reserve()
    before = mail.message_id
    provider.append(TimeoutError())
    work()
    assert outbox.send_again(mail) == ""
    assert work() == [Status.SENT]
    mail.refresh_from_db()
    assert mail.message_id != before, "else mail programs would hide it as a copy"


def test_a_mail_on_its_way_is_not_queued_once_more(reserve, queue):
    mail = reserve()
    assert outbox.send_again(mail) == "It is already on its way."
    assert len(queue()) == 1


def test_a_mail_whose_reason_has_passed_is_not_sent_again(subscription, failure, payment, work):
    mail = mails.payment_failed(subscription, failure)
    work()
    payment()
    assert outbox.send_again(mail) == reasons.PAID
    mail.refresh_from_db()
    assert mail.status == Status.SENT


def _killed(*_):
    raise SystemExit


def _times_out(*_):
    raise TimeoutError("timed out")


def _has_a_bug(*_):
    raise KeyError("amount")


def test_a_wake_up_that_the_queue_did_not_take_is_found_by_the_next_sweep(
    reserve, monkeypatch, django_capture_on_commit_callbacks
):
    """Its commit stands and the error goes no further; one that was taken is carried, and left alone."""

    def away(path, mail_id):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(Conf, "ORM", None)
        patch.setattr("billing.queues.django_q2.async_task", away)
        with django_capture_on_commit_callbacks(execute=True):
            reserve()
    reserve(key="payment_received:in_2")
    assert outbox.sweep() == 1


def test_a_copy_of_another_sites_database_mails_nobody_and_loses_no_mail(reserve, mailoutbox, settings):
    mail = reserve()
    settings.STRIPE_LIVE_MODE, settings.SITE_URL = True, "https://billing.example.com"
    home.settle(has_moved=False)
    settings.SITE_URL = "https://staging.example.com"
    assert outbox.deliver(str(mail.pk)).startswith("held")
    mail.refresh_from_db()
    assert (mailoutbox, mail.status, mail.attempts) == ([], Status.QUEUED, 0)
    home.settle(has_moved=True)
    assert outbox.deliver(str(mail.pk)) == Status.SENT
    assert len(mailoutbox) == 1

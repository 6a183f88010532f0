"""The outbox from both sides of each bound, with another mail beside that nothing happens to."""

from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from notifications import outbox, reasons
from notifications.models import Mail, Suppression
from notifications.suppression import NOT_MAILED

Status = Mail.Status
pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


@pytest.fixture
def now(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


@pytest.fixture(autouse=True)
def bystander(request, db):
    """A mail that was put on the queue just now; at the end it is as it was."""
    if "now" in request.fixturenames:
        request.getfixturevalue("now")
    mail = request.getfixturevalue("reserve")("bystander")
    before = Mail.objects.filter(pk=mail.pk).values().get()
    yield mail
    assert Mail.objects.filter(pk=mail.pk).values().get() == before


def put(mail, **columns):
    Mail.objects.filter(pk=mail.pk).update(**columns)


def row(mail):
    return Mail.objects.get(pk=mail.pk)


# The sweep


@pytest.mark.parametrize(
    ("columns", "late", "now_is"),
    [
        ({"status": "sending"}, 1, ("unconfirmed", outbox.LOST_ANSWER)),
        ({"status": "sending"}, 0, ("sending", "")),
        ({"status": "queued", "attempts": outbox.LAST_ATTEMPT}, 1, ("failed", outbox.CRASHED)),
        ({"status": "queued", "attempts": outbox.LAST_ATTEMPT}, 0, ("queued", "")),
        ({"status": "queued", "attempts": outbox.LAST_ATTEMPT - 1}, 1, ("queued", "")),
        ({"status": "sent", "attempts": outbox.LAST_ATTEMPT}, 1, ("sent", "")),
    ],
)
def test_who_died_is_given_up_on_once_the_lease_is_over(reserve, now, bystander, columns, late, now_is):
    mail = reserve()
    put(mail, leased_until=now - late * TICK, token=bystander.pk, **columns)
    outbox.sweep()
    assert (row(mail).status, row(mail).error) == now_is
    assert row(mail).token == bystander.pk, "who was only slow still says what came of it"


@pytest.mark.parametrize(("ago", "is_woken"), [(timedelta(0), False), (TICK, True)])
def test_a_wake_up_is_lost_after_a_while(reserve, queue, now, ago, is_woken):
    mail = reserve()
    waiting = queue()
    put(mail, woken_at=now - outbox.WAKE_UP_IS_LOST_AFTER - ago)
    assert outbox.sweep() == int(is_woken)
    assert queue() == waiting + [str(mail.pk)] * is_woken
    assert (row(mail).woken_at == now) is is_woken


@pytest.mark.parametrize(
    ("queued", "ago", "is_woken"),
    [(99, 1, True), (100, 1, False), (100, 5, False), (100, 5.01, True), (None, 1, False), (None, 5.01, True)],
)
def test_a_long_queue_and_one_that_is_away_are_given_more_time(reserve, now, monkeypatch, queued, ago, is_woken):
    def waiting():
        if queued is None:
            raise outbox.queues.BrokerAway
        return queued

    mail = reserve()
    put(mail, woken_at=now - timedelta(minutes=ago))
    monkeypatch.setattr(outbox.queues, "waiting", waiting)
    assert outbox.sweep() == int(is_woken)


def test_a_lost_wake_up_is_found_by_the_sweep_of_the_next_minute():
    assert timedelta(seconds=30) < outbox.WAKE_UP_IS_LOST_AFTER < timedelta(minutes=1)


@pytest.mark.parametrize(("ahead", "is_woken"), [(timedelta(0), True), (TICK, False)])
def test_a_try_is_woken_when_it_is_due(reserve, now, ahead, is_woken):
    mail = reserve()
    put(mail, woken_at=None, next_attempt_at=now + ahead)
    assert outbox.sweep() == int(is_woken)


def test_the_longest_due_are_woken_first_and_no_more_than_fit(reserve, queue, now, monkeypatch):
    monkeypatch.setattr(outbox, "SWEEP_BATCH", 2)
    mails = {}
    for name, minutes in (("one", 1), ("three", 3), ("two", 2)):
        mails[name] = reserve(name)
        put(mails[name], woken_at=None, next_attempt_at=now - timedelta(minutes=minutes))
    waiting = len(queue())
    assert outbox.sweep() == 2
    assert set(queue()[waiting:]) == {str(mails["three"].pk), str(mails["two"].pk)}
    assert outbox.sweep() == 1
    assert queue()[waiting + 2 :] == [str(mails["one"].pk)]
    assert outbox.sweep() == 0


# A try


def test_a_try_takes_its_mail_counts_and_leases_it(reserve, now):
    mail = reserve()
    claimed = outbox._claim(str(mail.pk))
    assert (claimed.attempts, claimed.leased_until) == (1, now + outbox.conf.lease)
    assert claimed.token == row(mail).token is not None


@pytest.mark.parametrize(("attempts", "is_taken"), [(outbox.LAST_ATTEMPT - 1, True), (outbox.LAST_ATTEMPT, False)])
def test_there_are_so_many_tries_and_no_more(reserve, attempts, is_taken):
    mail = reserve()
    put(mail, attempts=attempts)
    assert bool(outbox._claim(str(mail.pk))) is is_taken


@pytest.mark.parametrize(("ahead", "is_taken"), [(timedelta(0), True), (TICK, False)])
def test_no_try_is_early(reserve, now, ahead, is_taken):
    mail = reserve()
    put(mail, next_attempt_at=now + ahead)
    assert bool(outbox._claim(str(mail.pk))) is is_taken
    assert row(mail).attempts == int(is_taken)


@pytest.mark.parametrize("status", [status for status in Status.values if status not in ("queued", "sending")])
def test_what_is_settled_is_not_tried(reserve, status):
    mail = reserve()
    put(mail, status=status)
    assert outbox.deliver(str(mail.pk)) == "not due"


def test_who_lost_the_row_neither_begins_nor_settles(reserve):
    mail = reserve()
    claimed = outbox._claim(str(mail.pk))
    put(mail, token=None)
    assert outbox._begin(claimed) is False
    outbox._record_state(claimed, Status.SENT)
    assert (row(mail).status, claimed.status) == ("queued", "queued")


def test_what_is_not_queued_any_more_is_not_begun(reserve):
    mail = reserve()
    claimed = outbox._claim(str(mail.pk))
    put(mail, status="skipped")
    assert outbox._begin(claimed) is False
    assert row(mail).status == "skipped"


def test_what_was_begun_is_sending_in_the_row_too(reserve):
    claimed = outbox._claim(str(reserve().pk))
    assert outbox._begin(claimed) is True
    assert (row(claimed).status, claimed.status) == ("sending", "sending")


def test_settling_lets_go_and_says_so(reserve):
    claimed = outbox._claim(str(reserve().pk))
    outbox._record_state(claimed, Status.FAILED, error="no")
    now = row(claimed)
    assert (now.status, claimed.status, now.error, now.token, now.leased_until) == (
        "failed",
        "failed",
        "no",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("attempts", "minutes"), [*zip(range(1, outbox.LAST_ATTEMPT), (1, 5, 30, 120, 360, 720), strict=True)]
)
def test_a_failed_try_waits_as_long_as_its_number_says_give_or_take_a_tenth(reserve, now, attempts, minutes):
    mail = reserve()
    put(mail, attempts=attempts - 1)
    claimed = outbox._claim(str(mail.pk))
    outbox._record_failure(claimed, ConnectionRefusedError("no"))
    wait = (row(mail).next_attempt_at - now) / timedelta(minutes=1)
    assert 0.9 * minutes <= wait <= 1.1 * minutes
    assert (row(mail).status, row(mail).woken_at, bool(row(mail).error)) == ("queued", None, True)


def test_the_last_try_that_fails_is_the_end(reserve):
    mail = reserve()
    put(mail, attempts=outbox.LAST_ATTEMPT - 1)
    outbox._record_failure(outbox._claim(str(mail.pk)), ConnectionRefusedError("no"))
    assert row(mail).status == "failed"


# Again


def test_a_person_has_a_settled_mail_begun_anew_to_the_address_of_now(reserve, queue, now, customer):
    mail = reserve()
    put(mail, status="failed", attempts=7, error="no", reported_at=now, provider_id="p_1", token=mail.pk,
        leased_until=now, next_attempt_at=now - TICK)  # fmt: skip
    customer.email = "new@example.com"
    customer.save()
    waiting = queue()
    assert outbox.send_again(row(mail)) == ""
    again = row(mail)
    assert (again.status, again.attempts, again.error, again.reported_at, again.provider_id) == (
        "queued",
        0,
        "",
        None,
        "",
    )
    assert (again.token, again.leased_until, again.next_attempt_at, again.woken_at) == (None, None, now, now)
    assert (again.recipient, again.message_id != mail.message_id) == ("new@example.com", True)
    assert queue() == [*waiting, str(mail.pk)]


@pytest.mark.parametrize("status", ["queued", "sending"])
def test_a_mail_on_its_way_is_not_begun_anew(reserve, queue, status):
    mail = reserve()
    put(mail, status=status)
    waiting = queue()
    assert outbox.send_again(row(mail)) == "It is already on its way."
    assert (row(mail).status, queue()) == (status, waiting)


def test_a_mail_to_an_address_that_was_removed_at_stripe_goes_to_the_subscribers_own(reserve, customer):
    mail = reserve()
    put(mail, status="failed", recipient="removed@example.com")
    customer.email = ""
    customer.save()
    assert outbox.send_again(row(mail)) == ""
    assert row(mail).recipient == customer.subscriber.email


def test_a_mail_without_a_customer_goes_to_its_own_address_again_and_one_without_either_nowhere(reserve):
    mail = reserve(customer=None)
    put(mail, status="failed")
    assert outbox.send_again(row(mail)) == ""
    assert row(mail).recipient == "alice@example.com"
    put(mail, status="failed", recipient="")
    assert outbox.send_again(row(mail)) == reasons.NO_ADDRESS
    assert row(mail).status == "failed"


def test_an_address_that_is_not_mailed_is_not_mailed_again_either_and_anothers_is(reserve, customer):
    mail = reserve()
    put(mail, status="failed")
    customer.email = "new@example.com"
    customer.save()
    for address, why in (("other@example.com", ""), ("new@example.com", NOT_MAILED["bounced"])):
        Suppression.objects.create(address=address, reason="bounced", suppressed_at=timezone.now())
        put(mail, status="failed")
        assert outbox.send_again(row(mail)) == why
    assert row(mail).status == "failed"


class Crash(BaseException):
    """The process dies here."""


def dies(*args):
    raise Crash


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_reserved_and_begun_anew_with_its_wake_up_or_not_at_all(reserve, monkeypatch):
    mail = reserve()
    put(mail, status="failed")
    monkeypatch.setattr(outbox, "_enqueue", dies)
    with pytest.raises(Crash):
        outbox.send_again(row(mail))
    assert row(mail).status == "failed"
    with pytest.raises(Crash):
        reserve("payment_received:in_2")
    assert not Mail.objects.filter(key="payment_received:in_2").exists()


# What the provider calls it, what we call it


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (SimpleNamespace(), ""),
        (SimpleNamespace(anymail_status=None), ""),
        (SimpleNamespace(anymail_status=SimpleNamespace(message_id="p_1")), "p_1"),
        (SimpleNamespace(anymail_status=SimpleNamespace(message_id={"a": "p_1"})), ""),
        (SimpleNamespace(anymail_status=SimpleNamespace(message_id=None)), ""),
    ],
)
def test_the_providers_name_is_kept_where_it_has_one(message, name):
    assert outbox._provider_id(message) == name


@pytest.mark.parametrize(
    ("sender", "domain"), [("Us <us@example.org>", "example.org"), ("us@example.org", "example.org"), ("", "localhost")]
)
def test_a_message_id_is_of_the_senders_domain(monkeypatch, sender, domain):
    monkeypatch.setattr(outbox, "conf", SimpleNamespace(from_email=sender))
    assert outbox.new_message_id().endswith(f"@{domain}>")
    assert outbox.new_message_id() != outbox.new_message_id()


def test_the_same_mail_has_the_same_message_id_before_and_after_a_failover(reserve, monkeypatch):
    """The row is lost with the failover, and the mail goes out again: mailboxes can tell that they have it."""
    first = reserve("lost")
    Mail.objects.filter(pk=first.pk).delete()
    again = reserve("lost")
    assert (again.pk != first.pk, again.message_id) == (True, first.message_id)
    assert reserve("another").message_id != first.message_id


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_mail_that_went_out_as_the_database_went_is_stamped_by_a_new_connection(reserve, mailoutbox, monkeypatch):
    mail = reserve()
    provider_id = outbox._provider_id

    def end_the_connection(message):
        with connection.cursor() as cursor, suppress(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return provider_id(message)

    monkeypatch.setattr(outbox, "_provider_id", end_the_connection)
    assert outbox.deliver(str(mail.pk)) == Status.SENT
    assert (len(mailoutbox), row(mail).status) == (1, Status.SENT)


@pytest.mark.django_db(transaction=True)
def test_neither_the_claim_nor_the_stamp_before_the_hand_over_hides_in_anothers_transaction(reserve):
    """Rolled back with it, a mail would go out twice."""
    claimed = outbox._claim(str(reserve().pk))
    with transaction.atomic():
        with pytest.raises(RuntimeError, match="durable"):
            outbox._claim(str(claimed.pk))
        with pytest.raises(RuntimeError, match="durable"):
            outbox._begin(claimed)
    assert (row(claimed).status, row(claimed).attempts) == ("queued", 1)

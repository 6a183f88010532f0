"""Workers at the same row at the same time, on a database where they truly run at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from notifications import outbox
from notifications.models import Mail

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]

WORKERS = 8


def _at_once(task, times=WORKERS):
    """Run `task` in so many threads, started together, each with its own connection."""
    gate = threading.Barrier(times)

    def run(_):
        try:
            gate.wait(timeout=10)
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_workers_that_deliver_the_same_mail_send_it_once(reserve, mailoutbox):
    for number in range(10):
        mail = reserve(f"payment_received:in_{number}")
        outcomes = _at_once(lambda mail=mail: outbox.deliver(str(mail.pk)))
        assert sorted(outcomes) == ["not due"] * (WORKERS - 1) + ["sent"]
    assert len(mailoutbox) == 10


def test_transactions_that_reserve_the_same_mail_make_one_row(reserve, queue):
    ids = _at_once(lambda: reserve().pk)
    assert len(set(ids)) == 1
    assert queue() == [str(ids[0])]


def test_a_rival_that_rolls_back_leaves_the_reservation_to_the_other(reserve, queue):
    reserved, give_up = threading.Event(), threading.Event()

    def reserve_and_fail():
        try:
            with transaction.atomic():
                reserve()
                reserved.set()
                give_up.wait(timeout=10)
                transaction.set_rollback(True)
        finally:
            connection.close()

    rival = threading.Thread(target=reserve_and_fail)
    rival.start()
    reserved.wait(timeout=10)
    threading.Timer(0.2, give_up.set).start()
    mail = reserve()
    rival.join()
    assert [row.pk for row in Mail.objects.all()] == [mail.pk]
    assert queue() == [str(mail.pk)]

"""The weekly digest is mailed once to each member of staff who wants it, with what they may see."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client

from billing.models import Customer, DigestReader, MrrMovement, StripeEvent
from billing.monitoring import digest
from billing.tests.admin.test_staff_actions import member

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
WEEKLY = "/admin/billing/dashboard/weekly/"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def bob():
    return member("bob@example.com", "view_dashboard")


def wants(client):
    client.post(WEEKLY, {"wants": "yes"})
    DigestReader.objects.update(week=date(2026, 11, 16))


def test_it_has_the_week_that_ended_and_is_sent_once(bob):
    customer = Customer.objects.create(id="cus_1")
    for amount, days in ((2000, 3), (700, 30)):
        at = MONDAY - timedelta(days=days)
        MrrMovement.objects.create(customer=customer, kind="new", amount=amount, currency="usd", moved_at=at)
    wants(bob)
    assert [digest.hourly(), digest.hourly()] == ["1 digests sent", "0 digests sent"]
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["bob@example.com"], "Your week in billing: 16 Nov – 22 Nov 2026")
    assert "  MRR: $27.00 ($7.00 at the beginning, up 285.7%)" in sent.body
    assert "  New: $20.00 (1 customer" in sent.body
    assert "/admin/billing/dashboard/" in sent.body


def test_the_next_week_brings_the_next_one(bob, monday):
    wants(bob)
    digest.hourly()
    monday.shift(timedelta(days=6))
    assert digest.hourly() == "0 digests sent"
    monday.shift(timedelta(days=1))
    assert digest.hourly() == "1 digests sent"


def test_who_begins_gets_the_first_next_monday_and_nobody_else_gets_one(bob, monday):
    member("eve@example.com", "view_dashboard")
    bob.post(WEEKLY, {"wants": "yes"})
    assert digest.hourly() == "0 digests sent"
    monday.shift(timedelta(days=7))
    digest.hourly()
    assert [sent.to for sent in mail.outbox] == [["bob@example.com"]]


def test_it_waits_for_the_morning(bob, monday):
    wants(bob)
    monday.move_to(MONDAY - timedelta(hours=4))
    assert digest.hourly() == "not yet"


def test_what_waits_is_told_only_to_who_may_see_it(bob):
    StripeEvent.objects.create(
        id="evt_1", type="a", created=1, status="dead", received_at=MONDAY, livemode=False, lane="l", payload={}
    )
    seer = member("seer@example.com", "view_dashboard", "view_stripeevent")
    wants(bob)
    wants(seer)
    digest.hourly()
    said = {sent.to[0]: sent.body for sent in mail.outbox}
    assert "1 event failed for good" in said["seer@example.com"]
    assert "Nothing needs a person now." in said["bob@example.com"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}, {"user_permissions": []}])
def test_who_may_not_see_the_dashboard_any_more_gets_none_and_is_forgotten(bob, change):
    wants(bob)
    user = get_user_model().objects.get(email="bob@example.com")
    for name, value in change.items():
        user.user_permissions.clear() if name == "user_permissions" else setattr(user, name, value)
    user.save()
    assert digest.hourly() == "0 digests sent"
    assert not DigestReader.objects.exists()


def test_a_mail_that_fails_is_tried_again(bob, monkeypatch):
    wants(bob)

    def refuse(*args, **kwargs):
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(digest, "send_mail", refuse)
        assert digest.hourly() == "0 digests sent"
    assert digest.hourly() == "1 digests sent"


def test_it_is_stopped_by_its_button(bob):
    wants(bob)
    assert "Stop the weekly mail" in bob.get("/admin/billing/dashboard/").content.decode()
    bob.post(WEEKLY, {"wants": "no"})
    assert not DigestReader.objects.exists()


def test_without_the_permission_there_is_no_door():
    assert member("eve@example.com").post(WEEKLY, {"wants": "yes"}).status_code == 403
    assert Client().post(WEEKLY, {"wants": "yes"}).status_code == 302
    assert not DigestReader.objects.exists()

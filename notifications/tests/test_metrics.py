"""The outbox in /metrics: a provider that refuses, or a worker that sends nothing, is seen before anybody writes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications.models import Mail

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def scrape(client):
    def read():
        families = text_string_to_metric_families(client.get("/metrics").content.decode())
        samples = [sample for family in families for sample in family.samples]
        return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}

    return read


def mail(key, status, *, due=timedelta(), age=timedelta()):
    now = timezone.now()
    Mail.objects.create(
        key=key,
        kind="refund",
        recipient="ada@example.com",
        status=status,
        next_attempt_at=now - due,
        created_at=now - age,
    )


def test_nothing_waits(scrape):
    found = scrape()
    assert (found["billing_up", "outbox"], found["notifications_mails_waiting",]) == (1, 0)
    assert found["notifications_oldest_waiting_seconds",] == 0


def test_what_waits_is_counted_and_told_since_when_it_is_due(scrape):
    mail("a", "queued", due=timedelta(minutes=9), age=timedelta(days=1))
    mail("b", "sending", due=timedelta(minutes=1))
    mail("c", "queued", due=-timedelta(hours=1))
    mail("d", "failed", due=timedelta(days=3), age=timedelta(days=3))
    found = scrape()
    assert found["notifications_mails_waiting",] == 3
    assert found["notifications_oldest_waiting_seconds",] == pytest.approx(540, abs=30)


def test_a_mail_that_waits_for_its_next_try_is_not_late(scrape):
    mail("a", "queued", due=-timedelta(hours=1))
    assert scrape()["notifications_oldest_waiting_seconds",] == 0


def test_the_last_hours_mails_are_counted_by_kind_and_state_and_by_no_address(scrape, client):
    mail("a", "sent")
    mail("b", "bounced", age=timedelta(minutes=50))
    mail("c", "bounced", age=timedelta(hours=2))
    found = scrape()
    assert found["notifications_mails_recent", "refund", "bounced"] == 1
    assert found["notifications_mails_recent", "refund", "sent"] == 1
    assert "example.com" not in client.get("/metrics").content.decode()

"""Billing's dashboard shows how mail does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.monitoring.dashboard import periods
from billing.monitoring.dashboard.scope import Scope
from notifications import dashboard
from notifications.models import Mail

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def told(django_user_model):
    root = django_user_model.objects.create_superuser("root@example.com", "correct-horse-battery")
    return lambda today, name="30d": dashboard.section(Scope(periods.named(name, today), root))


@pytest.fixture(autouse=True)
def mails():
    now = timezone.now()
    states = ["delivered", "delivered", "sent", "queued", "bounced", "skipped"]
    for number, status in enumerate(states):
        Mail.objects.create(key=f"refund:{number}", kind="refund", recipient="ada@example.com", status=status,
                            created_at=now - timedelta(days=number), next_attempt_at=now)  # fmt: skip
    Mail.objects.create(key="welcome:1", kind="welcome", recipient="ada@example.com", status="failed",
                        created_at=now - timedelta(days=60), next_attempt_at=now)  # fmt: skip


def test_what_was_sent_and_what_went_wrong_is_counted_and_leads_to_its_mails(told, admin_client):
    sent, wrong = told(timezone.localdate()).figures
    assert (sent.values, sent.notes) == (["3"], ["2 delivered", "1 waiting"])
    assert (wrong.values, wrong.notes, wrong.tone) == (["1"], ["25.0% of finished mails"], "bad")
    for figure, number in ((sent, 3), (wrong, 1)):
        assert f"{number} result" in admin_client.get(figure.url).content.decode()


def test_each_kind_is_told_by_its_states(told):
    (by_kind,) = told(timezone.localdate(), "90d").tables
    rows = [[getattr(cell, "text", cell) for cell in row] for row in by_kind.rows]
    assert rows == [["refund", "2", "1", "1", "1", "1", "6"], ["welcome", "0", "0", "0", "1", "0", "1"]]

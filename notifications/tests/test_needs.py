"""The admin's first page counts the mails that were not sent of late, and leads to them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.monitoring import needs
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def mail(status, **when):
    at = timezone.now() - timedelta(**when)
    return Mail.objects.create(
        kind="payment_failed", key=f"in_{status}_{when}", recipient="alice@example.com", status=status, created_at=at,
        next_attempt_at=at,
    )  # fmt: skip


def test_mails_that_were_not_sent_this_week_need_a_person(admin_client):
    for status in ("failed", "unconfirmed", "sent", "queued"):
        mail(status)
    mail("failed", days=8)
    page = admin_client.get("/admin/")
    [told] = [need for need in page.context["waiting"] if "mail" in need.words]
    assert (told.number, told.words) == ("2", "mails were not sent")
    found = admin_client.get(told.address).context["cl"].queryset
    assert set(found.values_list("status", flat=True)) == {"failed", "unconfirmed"}


def test_where_all_were_sent_nobody_is_needed(admin_client):
    mail("sent")
    assert needs.waiting(admin_client.get("/admin/").wsgi_request) == []

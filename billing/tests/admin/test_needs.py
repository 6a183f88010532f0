"""The first page counts what needs a person, and each count leads to a list of just those rows."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from billing.models import (
    AccountDeletion,
    Agreement,
    Alert,
    Customer,
    Dispute,
    Invoice,
    Payment,
    PriceMoveRow,
    StripeEvent,
    StripeWrite,
    Subscription,
    SyncRun,
    Trial,
    UsageReport,
)
from billing.monitoring import needs

pytestmark = pytest.mark.django_db


def counted(client):
    """Return what the first page says, by the needs that it leads to."""
    page = client.get("/admin/")
    return {need.address.partition("=")[2]: (need.number, need.words) for need in page.context["waiting"] or ()}


@pytest.fixture
def calm(rows):
    """Rows of every kind of which none waits."""
    PriceMoveRow.objects.update(status="moved")
    Dispute.objects.update(status="under_review")
    UsageReport.objects.update(state="sent")
    for row in (rows[model] for model in rows if model.__name__ in ("MirrorFailure", "TaxId")):
        row.delete()
    return rows


def wait(rows):
    """Make each row wait for a person in its way."""
    now, day = timezone.now(), timedelta(days=1)
    Alert.objects.create(cause="endpoint_silent", subject="No webhook", text="", raised_at=now)
    Dispute.objects.update(status="needs_response")
    StripeEvent.objects.update(status="dead")
    StripeWrite.objects.update(refused_at=now)
    Subscription.objects.update(whose="unknown", unmapped_price="price_9")
    Payment.objects.update(bought_nothing=True)
    Invoice.objects.update(collection_method="send_invoice", due_at=now - day)
    Agreement.objects.update(status="refused")
    AccountDeletion.objects.update(requested_at=now - day)
    SyncRun.objects.update(status="failed")
    PriceMoveRow.objects.update(status="untold")
    UsageReport.objects.update(state="doubtful")


def test_a_quiet_day_says_so(staff, calm):
    assert counted(staff) == {}
    assert "Nothing needs a person now." in staff.get("/admin/").content.decode()


def test_each_count_leads_to_a_list_of_just_those_rows(staff, calm):
    wait(calm)
    StripeEvent.objects.create(id="evt_2", type="x", created=1, received_at=timezone.now(), livemode=False, payload={})
    Dispute.objects.create(
        id="dp_2", customer=calm[Customer], amount=1, currency="usd", status="won", opened_at=timezone.now()
    )
    found = counted(staff)
    assert set(found) == {
        "condition", "dispute", "dead", "refused", "unknown_price", "nothing", "overdue", "agreement", "move",
        "deletion", "sync", "use",
    }  # fmt: skip
    assert {number for number, _ in found.values()} == {"1"}
    for need in needs.waiting(staff.get("/admin/").wsgi_request):
        page = staff.get(need.address)
        assert (page.status_code, page.context["cl"].result_count) == (200, 1), need


def test_two_of_a_kind_are_told_in_the_plural(staff, calm):
    for name in ("dp_3", "dp_4"):
        Dispute.objects.create(
            id=name,
            customer=calm[Customer],
            amount=1,
            currency="usd",
            status="needs_response",
            opened_at=timezone.now(),
        )
    assert counted(staff) == {"dispute": ("2", "disputes wait for an answer")}


def test_what_passed_is_not_counted(staff, calm):
    wait(calm)
    long_ago = timezone.now() - timedelta(days=40)
    Alert.objects.update(raised_at=long_ago)
    SyncRun.objects.update(started_at=long_ago)
    StripeEvent.objects.update(handled_at=long_ago)
    Payment.objects.update(kept_at=long_ago)
    Invoice.objects.update(due_at=timezone.now() + timedelta(days=1))
    AccountDeletion.objects.update(requested_at=timezone.now() - timedelta(hours=2))
    Subscription.objects.update(kept_price="price_9")
    assert set(counted(staff)) == {"dispute", "refused", "agreement", "move", "use"}


def test_a_hundred_are_counted_as_more_than_99(staff, calm):
    new = {"type": "x", "created": 1, "received_at": timezone.now(), "livemode": False, "payload": {}}
    StripeEvent.objects.bulk_create(StripeEvent(id=f"evt_x{n}", status="failed", **new) for n in range(99))
    assert counted(staff)["failed"][0] == "99"
    StripeEvent.objects.create(id="evt_y", status="failed", **new)
    assert counted(staff)["failed"][0] == "99+"


def test_staff_learn_only_of_rows_that_they_may_see(calm):
    wait(calm)
    user = get_user_model().objects.create_user("bob@example.com", "correct-horse-battery", is_staff=True)
    allowed = Permission.objects.filter(content_type__app_label="billing")
    user.user_permissions.set(allowed.filter(codename__in=["view_dispute", "view_stripeevent"]))
    client = Client()
    client.force_login(user)
    assert set(counted(client)) == {"dispute", "dead"}
    user.user_permissions.set([])
    assert "What needs a person" not in client.get("/admin/").content.decode()


def test_the_first_page_asks_a_question_for_each_need(staff, calm, django_assert_max_num_queries):
    wait(calm)
    with django_assert_max_num_queries(30):
        staff.get("/admin/")


def test_a_trial_whose_person_had_one_before_waits(staff, calm):
    other = Trial.objects.create(
        subscription_id="sub_0", customer=calm[Customer], plan=calm[Trial].plan, started_at=timezone.now(),
        ends_at=timezone.now(),
    )  # fmt: skip
    Subscription.objects.update(status="trialing")
    Trial.objects.filter(pk=calm[Trial].pk).update(same_person_as=other)
    assert counted(staff) == {"trial": ("1", "trial may be a person's second")}

"""Staff settle usage reports that nobody else can, and change caps."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from billing import usage
from billing.models import SpendCap, UsageReport
from billing.tests.usage.metered_plans import metered_plans, reports, shop, use  # noqa: F401

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/usagereport/"


@pytest.fixture
def stuck(shop):  # noqa: F811
    subscriber = shop.subscribed("pro")
    use(subscriber, 140)
    usage.reporting.cut_all()
    UsageReport.objects.update(state="doubtful", error_message="Stripe has counted 7 in that minute.")
    return subscriber


def staff(client, *permissions):
    user = get_user_model().objects.create_user("staff@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def choose(client, action):
    return client.post(LIST, {"action": action, "_selected_action": [str(UsageReport.objects.get().pk)]}, follow=True)


@pytest.mark.parametrize(
    ("action", "states"),
    [("send_again", ["dropped", "waiting"]), ("count_as_sent", ["sent"]), ("give_up", ["dropped"])],
)
def test_staff_decide_about_a_report_and_it_is_logged(stuck, client, action, states):
    user = staff(client, "view_usagereport", "settle_usagereport")
    assert "1 report was" in choose(client, action).content.decode()
    assert sorted(UsageReport.objects.values_list("state", flat=True)) == states
    assert LogEntry.objects.filter(user=user).count() == 1
    assert UsageReport.objects.exclude(state="waiting").get().settled_by == f"staff:{user.pk}"


def test_without_the_permission_nothing_can_be_chosen(stuck, client):
    staff(client, "view_usagereport")
    choose(client, "give_up")
    assert reports(stuck) == [(40, "doubtful")]


def test_a_report_that_was_counted_is_left_alone(stuck, client):
    staff(client, "view_usagereport", "settle_usagereport")
    UsageReport.objects.update(state="sent")
    assert "The others need nobody" in choose(client, "send_again").content.decode()
    assert reports(stuck) == [(40, "sent")]


def test_the_page_of_a_report_says_what_stripe_said(stuck, client):
    staff(client, "view_usagereport")
    page = client.get(f"{LIST}{UsageReport.objects.get().pk}/change/").content.decode()
    assert "Stripe has counted 7 in that minute." in page
    assert "billing_generations" in page


def test_staff_change_a_cap_by_permission(stuck, client):
    cap = usage.capping.set_cap(stuck.user, 500, "usd")
    page = f"/admin/billing/spendcap/{cap.pk}/change/"
    user = staff(client, "view_spendcap")
    assert client.post(page, {"amount": 900, "policy": "warn"}).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_spendcap"))
    client.post(page, {"amount": 900, "policy": "warn"})
    row = SpendCap.objects.get()
    assert (row.amount, row.policy, row.set_by) == (900, "warn", f"staff:{user.pk}")

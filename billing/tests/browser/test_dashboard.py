"""Staff looks at the dashboard: by day, in the dark, on a phone, by keyboard, and follows a figure to its rows."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from billing.models import Customer, MrrMovement, Payment, PaymentFailure, Plan, Price, Subscription

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
ADDRESS = "/admin/billing/dashboard/"


@pytest.fixture
def business():
    """Three weeks of payments in two currencies, every fourth failed."""
    now = timezone.now()
    plan = Plan.objects.create(slug="pro", name="Pro", rank=1)
    for number in range(40):
        currency = ("usd", "jpy")[number % 2]
        customer = Customer.objects.create(id=f"cus_{number}")
        price, _ = Price.objects.get_or_create(
            id=f"price_{currency}",
            defaults={"plan": plan, "currency": currency, "unit_amount": 2900, "interval": "month"},
        )
        of = {"customer": customer, "currency": currency}
        Subscription.objects.create(status="active", plan=plan, price=price, stripe_id=f"sub_{number}", **of)
        at = now - timedelta(days=number / 2)
        MrrMovement.objects.create(kind="new", amount=2900, moved_at=at, **of)
        Payment.objects.create(invoice_id=f"in_{number}", amount=2900, invoiced_at=at, paid_at=at, **of)
        if number % 4 == 0:
            failure = {"invoice_id": f"in_{number}", "subscription_id": f"sub_{number}", "decline_code": "expired_card"}
            PaymentFailure.objects.create(attempt=1, amount=2900, failed_at=at, **failure, **of)


@pytest.fixture
def enter(live_server, browse):
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)

    def dashboard(**look):
        page = browse(f"{live_server.url}/admin/login/?next=/admin/", **look)
        page.locator("#id_username").fill("root@example.com")
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Billing dashboard").click()
        expect(page.get_by_role("heading", level=1, name="Billing dashboard")).to_be_visible()
        return page

    return dashboard


def test_staff_reads_the_dashboard_in_every_light_and_follows_a_figure(business, enter, shoot):
    for name, look in {"light": {}, "dark": {"dark": True}, "phone": {"phone": True, "javascript": False}}.items():
        page = enter(**look)
        page.locator(".board-term", has_text="Failed attempts as a share").first.locator("summary").click()
        expect(page.get_by_text("Failed attempts as a share of all attempts").first).to_be_visible()
        shoot(page, f"admin-dashboard-{name}")
        ours = [said for said in accessibility.problems(page) if "board-" in said or "billing-chart" in said]
        assert (name, ours) == (name, [])
    page = enter()
    page.get_by_role("link", name="90 days").click()
    expect(page.get_by_text("by week")).to_be_visible()
    page.get_by_text("As a table: Paid and failed").click()
    expect(page.get_by_role("columnheader", name="Failed", exact=True).first).to_be_visible()
    page.get_by_role("link", name="Payment failure rate: the rows").click()
    expect(page.get_by_text("10 payment failures").first).to_be_visible()

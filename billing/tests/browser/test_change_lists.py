"""Every list of the admin fits a laptop, with the longest ids, names and sentences that rows have in life."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from billing.models import (
    AccountDeletion,
    Alert,
    BalanceTransaction,
    CheckoutAttempt,
    Dispute,
    Grant,
    Hold,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    StripeEvent,
    StripeWrite,
    Subscription,
    SyncRun,
)
from billing.tests.admin.rows import row_of_each

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
ADDRESS = "maximiliane-charlotte.von-hohenlohe-langenburg@accounting.international-enterprises.example.com"
ENDING = "QXg0Nt5dYw3LbkT7uRz9PqVs"
WIDTHS = """() => {
    const list = document.querySelector(".results");
    return [document.documentElement.scrollWidth - innerWidth, list.scrollWidth - list.clientWidth];
}"""


@pytest.fixture
def full():
    """Every column of every row has something in it."""
    row_of_each(email=ADDRESS, ending=ENDING)
    now, later = timezone.now(), timezone.now() + timedelta(days=29)
    sentence = "An agreement of last year, which nobody here wrote down, and which the customer sent us as a scan"
    sub = f"sub_1{ENDING}"
    Plan.objects.update(name="Professional and enterprise", grace_days=14)
    Price.objects.update(lookup_key=f"professional_and_enterprise_every_3_months_{ENDING}", interval_count=3)
    Subscription.objects.update(
        stripe_id=sub, whose="unknown", unmapped_price=f"price_1{ENDING}", mrr=123_456_789, currency="usd",
        status="incomplete_expired", current_period_end=later, cancel_at=later, past_due_since=now,
    )  # fmt: skip
    CheckoutAttempt.objects.update(session_id=f"cs_test_a1{ENDING}{ENDING}", currency="usd", status="completed")
    Payment.objects.update(subscription_id=sub, billing_reason="subscription_cycle", bought_nothing=True)
    Payment.objects.update(hosted_invoice_url="https://invoice.stripe.com/i/1", invoice_pdf="https://pay.stripe.com/1")
    PaymentFailure.objects.update(decline_code="insufficient_funds", next_attempt_at=later, subscription_id=sub)
    Dispute.objects.update(reason="subscription_canceled", evidence_due_at=later)
    Hold.objects.update(released_at=now)
    Hold.objects.create(
        customer=Hold.objects.get().customer, kind="staff", reference="x", reason=sentence, placed_at=now
    )
    Grant.objects.update(source=f"partner:{ENDING}{ENDING}", reason=sentence, ended_at=now)
    StripeWrite.objects.update(done_at=now, next_attempt_at=later)
    StripeEvent.objects.update(
        type="customer.subscription.pending_update_applied", status="dead", attempts=7, deliveries=12,
        object_id=sub, error_message=f"Traceback\nConnectionError: {sentence}",
    )  # fmt: skip
    Alert.objects.update(cause=f"unknown_price:price_1{ENDING}", subject=sentence, told_at=now)
    AccountDeletion.objects.update(attempts=7, next_attempt_at=later, error_message=f"StripeUnavailable: {sentence}")
    BalanceTransaction.objects.update(type="payment_failure_refund", fee=123_456_789)
    SyncRun.objects.update(status="failed", finished_at=later, events={"a": 123456}, compared=123456, drifted=123456)


@pytest.fixture
def enter(full, live_server, browse):
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)

    def staff(**look):
        page = browse(f"{live_server.url}/admin/login/?next=/admin/", **look)
        page.locator("#id_username").fill("root@example.com")
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Find a subscriber")).to_be_visible()
        return page

    return staff


def beyond_the_edge(page, shoot, look):
    """Return by how many pixels each page, and each list in it, is wider than there is room."""
    found = {}
    for model in admin.site._registry:
        if model._meta.app_label == "billing" and not model._meta.proxy:
            name = model._meta.model_name
            page.goto(f"/admin/billing/{name}/")
            expect(page.locator("#result_list tbody tr").first).to_be_visible()
            shoot(page, f"admin-full-{name}-{look}")
            found[name] = page.evaluate(WIDTHS)
    return found


def test_no_list_of_billing_scrolls_sideways_on_a_laptop(enter, shoot):
    found = beyond_the_edge(enter(), shoot, "1280")
    assert {name: widths for name, widths in found.items() if max(widths) > 0} == {}


def test_on_a_phone_a_list_scrolls_in_its_own_frame_and_the_page_does_not(enter, shoot):
    found = beyond_the_edge(enter(phone=True), shoot, "phone")
    assert {name: page for name, (page, _) in found.items() if page > 0} == {}


def test_a_row_is_opened_by_its_first_column(enter):
    page = enter()
    for name in ("price", "checkoutattempt", "subscription", "syncrun"):
        page.goto(f"/admin/billing/{name}/")
        page.locator("#result_list tbody th a").first.click()
        expect(page.get_by_role("link", name="History")).to_be_visible()

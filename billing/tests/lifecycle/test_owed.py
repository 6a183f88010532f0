"""What is owed is read from the rows of invoices: by the API, and by the page."""

import pytest

from billing.lifecycle import overview
from billing.models import Invoice
from billing.pages import wording

pytestmark = pytest.mark.django_db(transaction=True)


def owed_by(who):
    return overview.overview_of(who.user).owed


def one_off(world, who, amount=50000, description="Onboarding"):
    """Staff invoice something once, and finalize it without charging."""
    world.stripe("POST", "invoiceitems", customer=who.customer, amount=amount, currency="usd", description=description)
    made = world.stripe(
        "POST", "invoices", customer=who.customer, collection_method="send_invoice", days_until_due=30,
        pending_invoice_items_behavior="include",
    )  # fmt: skip
    return world.stripe("POST", f"invoices/{made['id']}/finalize")["id"]


def declined(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    return ada


def test_nobody_owes_what_is_paid(world):
    ada = world.subscribed()
    assert owed_by(ada) == []
    row = Invoice.objects.get()
    assert (row.status, row.payment, row.purpose, row.total, row.amount_remaining) == ("paid", "paid", "plan", 2000, 0)
    assert row.is_first
    assert row.period_start < row.period_end


def test_a_declined_renewal_is_owed_and_paid_where_access_depends_on_it(world, client):
    ada = declined(world)
    big = one_off(world, ada)
    world.deliver()
    plan, other = owed_by(ada)
    assert (plan.invoice, plan.payment, plan.access_depends) == (ada.row.latest_invoice, "failed", True)
    assert (other.invoice, other.amount_remaining, other.access_depends) == (big, 50000, False)
    urgent = wording.banners(overview.overview_of(ada.user))[0]
    assert (urgent.link, urgent.link_text) == (plan.page, "Pay now")
    client.force_login(ada.user)
    answer = client.get("/api/v1/subscriptions/current").json()["owed"]
    assert [(row["invoice"], row["amount_remaining"], row["payment"]) for row in answer] == [
        (plan.invoice, 2000, "failed"), (big, 50000, "none"),
    ]  # fmt: skip
    assert answer[0]["url"] == plan.url
    assert answer[0]["due_at"]


def test_a_void_one_off_invoice_is_owed_no_more_and_pay_now_leads_to_the_renewal(world, client):
    ada = declined(world)
    big = one_off(world, ada)
    world.deliver()
    dead = owed_by(ada)[1].url
    world.stripe("POST", f"invoices/{big}/void")
    world.deliver()
    (plan,) = owed_by(ada)
    assert plan.invoice == ada.row.latest_invoice
    assert client.get(dead).url == "/billing/"


def test_an_unpaid_one_off_invoice_is_named_for_what_it_is_beside_an_active_plan(world, client):
    ada = world.subscribed()
    one_off(world, ada)
    world.deliver()
    client.force_login(ada.user)
    page = client.get("/billing/").content.decode()
    assert "You have an unpaid invoice of $500.00 for Onboarding" in page
    assert "Your plan does not depend on it" in page
    assert "did not go through" not in page
    assert ada.access.reason == "active"


def test_a_renewal_by_an_invoice_of_thirteen_lines_has_its_period_and_ends_when_all_is_given_back(world):
    ada = world.subscribed()
    for n in range(12):
        world.stripe("POST", "invoiceitems", customer=ada.customer, amount=100 + n, currency="usd",
                     subscription=ada.subscription, description=f"Extra {n}")  # fmt: skip
    world.advance(days=32)
    world.deliver()
    row = Invoice.objects.get(pk=ada.row.latest_invoice)
    assert (row.period_start, row.period_end) == (ada.row.current_period_start, ada.row.current_period_end)
    assert ada.last_payment.period_end == row.period_end
    world.refund(ada)
    world.deliver()
    world.deliver()
    assert ada.row.status == "canceled"

"""The account page shows a subscriber plan, usage and payments, and what needs doing."""

import pytest

from billing import grants
from billing.lifecycle import cancel, invoice_links
from billing.localized import day
from billing.models import Customer, Hold
from billing.subscriptions import holds

from .test_buying import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world, client):
    user = world.sign_up()
    client.force_login(user)
    return user


def test_who_never_paid_sees_the_free_plan_and_a_way_up(ada, client):
    page = text(client.get("/billing/"))
    assert all(words in page for words in ("Free", "No subscription", "0 of 10", "Upgrade", "No payments yet"))


def test_a_subscriber_sees_plan_next_payment_and_receipts(world, client):
    client.force_login(world.subscribed().user)
    page = text(client.get("/billing/"))
    assert all(words in page for words in ("Pro", "Active", "$20.00 per month", "Next payment", "0 of 1,000", "PDF"))


def test_what_is_paid_for_stands_beside_the_plan_that_was_given_above_it(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    grants.grant(ada.user, plan="team", source="promo")
    page = text(client.get("/billing/"))
    expected = ("Team", "Yours permanently", "Subscription Pro, $20.00 per month", "$20.00 on")
    assert all(words in page for words in expected)
    cancel.cancel(ada.user, "now")
    assert "$20.00 per month" not in text(client.get("/billing/")), "once it has ended, nothing is paid any more"


def test_in_grace_the_page_says_until_when_and_where_to_pay(world, client):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    client.force_login(ada.user)
    answer = client.get("/billing/")
    assert "Your last payment did not go through" in text(answer)
    assert f"{day(ada.access.grace_ends_at)} to keep Pro" in text(answer)
    assert "Pay now" in text(answer)
    assert f'href="{invoice_links.page_of(world.open_invoice(ada))}"' in answer.content.decode()


def test_after_grace_the_page_says_that_the_plan_comes_back_when_paid(world, client):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=36)
    world.deliver()
    client.force_login(ada.user)
    page = text(client.get("/billing/"))
    assert "you get your plan back at once" in page
    assert "0 of 10" in page


def test_a_cancellation_that_is_scheduled_is_shown_with_its_date(world, client):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    world.deliver()
    client.force_login(ada.user)
    page = text(client.get("/billing/"))
    assert "Your subscription is cancelled" in page
    assert "Access ends" in page


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Hold.Kind.DISPUTE, "a payment is disputed"),
        (Hold.Kind.FRAUD, "a payment is being checked"),
        (Hold.Kind.STAFF, "Our team has paused your access"),
        (Hold.Kind.REFUND, "Your payment was refunded"),
    ],
)
def test_every_kind_of_hold_is_explained(world, client, kind, words):
    ada = world.subscribed()
    holds.place(Customer.objects.get(), kind, "reference-1")
    client.force_login(ada.user)
    page = text(client.get("/billing/"))
    assert words in page
    assert "reference-1" not in page


def test_a_stranger_sees_none_of_my_payments(world, client):
    world.subscribed()
    client.force_login(world.sign_up("charlie@example.com"))
    assert "No payments yet" in text(client.get("/billing/"))

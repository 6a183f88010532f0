"""The pages on which a pack is bought."""

import pytest

from billing import usage
from billing.models import Pack, Purchase
from billing.setup import publishing_packs

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, BUY, RETURN = "/billing/packs", "/billing/packs/buy", "/billing/packs/return"


@pytest.fixture
def shop(world):
    publishing_packs.publish()
    return world


@pytest.fixture
def member(shop, client):
    client.force_login(shop.sign_up("ada@example.com"))
    return client


def said(answer):
    return answer.content.decode()


def buy(member, pack="credits_1000"):
    answer = member.post(BUY, {"pack": pack, "currency": "usd"})
    assert answer.status_code == 302
    return Purchase.objects.get(pack__slug=pack, status="open")


def test_a_visitor_sees_packs_in_their_currency(shop, client):
    page = said(client.get(PAGE, headers={"accept-language": "de-AT"}))
    assert "1.000 Generierungen, ohne Ablaufdatum" in page
    assert '<h2 id="pack-lifetime_pro">Pro für immer</h2>' in page
    assert "14,00" in page
    assert "$" not in page


def test_a_purchase_leads_to_stripe_and_back_and_to_the_account_page(shop, member):
    purchase = buy(member)
    assert "not finished" in said(member.get(RETURN, {"session_id": purchase.session_id}))
    shop.control(f"checkout/{purchase.session_id}/complete")
    assert "ready to use" in said(member.get(RETURN, {"session_id": purchase.session_id}))
    account = said(member.get("/billing/"))
    assert "1,000 generations left" in account
    assert "Beyond the limit you have 1,000 credits." in account
    assert "$15.00" in account


def test_what_is_left_and_what_was_given_back_stands_on_the_account_page(shop, member):
    purchase = buy(member)
    shop.control(f"checkout/{purchase.session_id}/complete")
    shop.deliver()
    purchase.refresh_from_db()
    usage.consume(purchase.customer.subscriber, "generations", 10 + 100)
    charge = shop.stripe("GET", f"payment_intents/{purchase.payment_intent}")["latest_charge"]
    shop.stripe("POST", "refunds", charge=charge, amount=750)
    shop.deliver()
    assert "400 generations left, $7.50 refunded" in said(member.get("/billing/"))


@pytest.mark.parametrize("session", ["", "cs_unknown", "a\0b"])
def test_a_session_that_is_not_the_buyers_is_404(member, session):
    assert member.get(RETURN, {"session_id": session}).status_code == 404


def test_another_buyers_session_is_404(shop, member, client):
    purchase = buy(member)
    client.force_login(shop.sign_up("eve@example.com"))
    assert client.get(RETURN, {"session_id": purchase.session_id}).status_code == 404


def test_what_is_not_sold_says_why_on_the_page(member):
    Pack.objects.filter(slug="credits_1000").update(is_public=False)
    answer = member.post(BUY, {"pack": "credits_1000", "currency": "usd"})
    assert answer.status_code == 409
    assert "Nothing was charged." in said(answer)


def test_a_visitor_logs_in_before_buying(shop, client):
    assert client.post(BUY, {"pack": "credits_1000"}).url.startswith("/accounts/login/")


def test_an_outage_is_said_and_charges_nothing(shop, member):
    with shop.down():
        answer = member.post(BUY, {"pack": "credits_1000", "currency": "usd"})
    assert answer.status_code == 503


def test_a_bank_that_takes_days_is_said(shop, member):
    purchase = buy(member)
    shop.control(f"checkout/{purchase.session_id}/complete", payment_method="pm_usBankAccount_success")
    assert "is being processed" in said(member.get(RETURN, {"session_id": purchase.session_id}))
    assert "Your payment is being processed" in said(member.get("/billing/"))

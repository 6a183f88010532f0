"""The link to a pack, on which a guest buys by their e-mail address."""

import re

import pytest

from billing.models import Purchase
from billing.setup import publishing_packs

pytestmark = pytest.mark.django_db(transaction=True)
LINK, RETURN = "/billing/packs/credits_1000", "/billing/packs/guest/return"


@pytest.fixture
def shop(world, settings):
    settings.BILLING_GUESTS_BUY_PACKS = True
    settings.BILLING_EMAIL_IS_CONFIRMED = "billing.confirmed.elsewhere"
    publishing_packs.publish()
    return world


def said(answer):
    return " ".join(answer.content.decode().split())


def form_of(client, **headers):
    page = said(client.get(LINK, headers=headers))
    return {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("key", "currency")}


def buy(client, email="gina@example.com", **more):
    return client.post(LINK, {**form_of(client), "email": email, **more})


def test_a_guest_pays_by_the_link_and_reads_how_they_get_it(shop, client):
    assert "Your e-mail address" in said(client.get(LINK))
    answer = buy(client)
    purchase = Purchase.objects.get()
    assert (answer.status_code, answer.url) == (302, purchase.url)
    session = shop.stripe("GET", f"checkout/sessions/{purchase.session_id}")
    assert (session["client_reference_id"], "billing_subscriber" in session["metadata"]) == (None, False)
    back = f"{RETURN}?session_id={purchase.session_id}"
    assert "not finished" in said(client.get(back))
    shop.control(f"checkout/{purchase.session_id}/complete")
    page = said(client.get(back))
    assert "Sign up with the e-mail address that you paid with" in page
    assert "gina@" not in page
    assert client.get(f"{RETURN}?session_id=cs_nobodys").status_code == 404


def test_the_packs_lead_a_guest_to_the_link_and_stripe_speaks_their_language(shop, client):
    assert f'href="{LINK}?currency=usd"' in said(client.get("/billing/packs"))
    fields = form_of(client, accept_language="de")
    client.post(LINK, {**fields, "email": "gina@example.com"}, headers={"accept-language": "de"})
    purchase = Purchase.objects.get()
    assert shop.stripe("GET", f"checkout/sessions/{purchase.session_id}")["locale"] == "de"
    assert shop.stripe("GET", f"customers/{purchase.customer_id}")["preferred_locales"] == ["de"]


@pytest.mark.parametrize("email", ["", "gina", "gina@@example.com"])
def test_what_is_no_address_is_a_sentence_and_nothing_is_begun(shop, client, email):
    answer = buy(client, email)
    assert answer.status_code == 409
    assert "Please enter your e-mail address, such as name@example.com. Nothing was charged." in said(answer)
    assert not Purchase.objects.exists()


def test_a_pack_that_is_not_sold_is_404(shop, client):
    assert client.get("/billing/packs/nothing").status_code == 404


def test_where_guests_are_not_served_the_link_asks_to_log_in(shop, client, settings):
    settings.BILLING_GUESTS_BUY_PACKS = False
    page = said(client.get(LINK))
    assert "Your e-mail address" not in page
    assert "/billing/packs/buy" in page
    answer = client.post(LINK, {"email": "gina@example.com", "key": "x"})
    assert "Please log in or sign up to buy this." in said(answer)
    assert not Purchase.objects.exists()
    bought = client.post("/billing/packs/buy", {"pack": "credits_1000"})
    assert bought.status_code == 302
    assert "login" in bought.url


def test_a_subscriber_buys_by_the_link_as_by_the_list(shop, client):
    client.force_login(shop.sign_up("ada@example.com"))
    page = said(client.get(LINK))
    assert "Your e-mail address" not in page
    assert 'action="/billing/packs/buy"' in page


def test_the_sixth_checkout_of_one_address_in_a_minute_is_429(shop, client):
    assert [buy(client).status_code for _ in range(6)] == [302] * 5 + [429]
    assert buy(client, "other@example.com").status_code == 302

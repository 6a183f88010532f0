"""Pages say whether tax is in a price, show net and tax of what was paid, and ask for an address that is missing."""

import pytest

from billing.models import Price
from billing.pages import tax_words
from billing.tests.lifecycle.test_tax import nowhere
from billing.tests.taxed import AUTOMATIC, FRENCH_ID, PARIS, bought, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


def read(client, path):
    return " ".join(client.get(path).content.decode().split())


def test_the_price_page_says_incl_vat(world, settings, client):
    sell_with_tax(world, settings)
    page = read(client, "/?currency=eur")
    assert page.count("incl. VAT") == 2
    assert "Prices include VAT." in page


def test_the_price_page_says_plus_tax(world, settings, client):
    sell_with_tax(world, settings, **{**AUTOMATIC, "behavior": "exclusive"})
    page = read(client, "/?currency=eur")
    assert page.count("plus tax") == 2
    assert "Tax is added at checkout." in page


def test_where_stripe_does_not_say_it_neither_do_we(world, client):
    page = read(client, "/?currency=eur")
    assert "Prices may exclude tax." in page
    assert "VAT" not in page


def test_the_api_promises_the_behavior_in_each_currency(world, settings, client):
    sell_with_tax(world, settings)
    Price.objects.update(terms={"amounts": {"eur": 1}, "tax_behaviors": {"eur": "exclusive"}})
    [pro] = [plan for plan in client.get("/api/v1/plans").json() if plan["slug"] == "pro"]
    assert {price["tax_behavior"] for price in pro["prices"]["month"].values()} <= {"inclusive", "exclusive"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"incl. VAT"}, "Prices include VAT."),
        ({"incl. VAT", ""}, "Prices may exclude tax."),
        ({"incl. VAT", "plus tax"}, "Prices may exclude tax."),
        (set(), "Prices may exclude tax."),
    ],
)
def test_one_sentence_holds_of_all_prices_or_none_is_claimed(said, words):
    assert tax_words.of_prices(said) == words


def test_the_account_page_and_the_invoices_show_net_and_tax(world, settings, client):
    sell_with_tax(world, settings)
    client.force_login(bought(world).user)
    assert "€15.97 net + €3.03 tax" in read(client, "/billing/")
    assert "€19.00 per month, incl. VAT" in read(client, "/billing/")
    assert "€15.97 net + €3.03 tax" in read(client, "/billing/invoices")
    [invoice] = client.get("/api/v1/subscriptions/invoices").json()["invoices"]
    told = (invoice["net"]["amount"], invoice["tax"]["amount"], invoice["reverse_charge"])
    assert told == (1597, 303, False)


def test_a_reverse_charge_is_seen_on_page_and_api(world, settings, client):
    sell_with_tax(world, settings)
    world.control("tax", reverse_charge="given")
    client.force_login(bought(world, address=PARIS, tax_id=FRENCH_ID).user)
    assert "No tax: reverse charge" in read(client, "/billing/")
    assert "No tax: reverse charge" in read(client, "/billing/invoices")
    [invoice] = client.get("/api/v1/subscriptions/invoices").json()["invoices"]
    assert invoice["reverse_charge"]
    preview = read(client, "/billing/change?plan=team&interval=month")
    assert "No tax: reverse charge" in preview


def test_the_preview_shows_net_tax_and_what_is_due(world, settings, client):
    sell_with_tax(world, settings)
    client.force_login(bought(world).user)
    page = read(client, "/billing/change?plan=team&interval=month")
    assert "<dt>Net</dt>" in page
    assert "<dt>Tax</dt>" in page


def test_who_owes_us_an_address_is_led_to_the_portal(world, settings, client):
    sell_with_tax(world, settings)
    world.control("tax", without_location="fail")
    ada = bought(world)
    client.force_login(ada.user)
    assert "Enter your address" not in read(client, "/billing/")
    assert client.get("/api/v1/subscriptions/current").json()["address_missing"] is False
    nowhere(world, ada)
    world.advance(days=32)
    world.deliver()
    page = read(client, "/billing/")
    assert "We need your address for your invoice" in page
    assert '<form method="post" action="/billing/portal">' in page
    assert client.get("/api/v1/subscriptions/current").json()["address_missing"] is True
    client.force_login(world.sign_up("eve@example.com"))
    assert client.get("/api/v1/subscriptions/current").json()["address_missing"] is False


def test_a_stranger_is_asked_for_nothing(world, settings, client):
    sell_with_tax(world, settings)
    client.force_login(world.sign_up("eve@example.com"))
    assert "We need your address" not in read(client, "/billing/")

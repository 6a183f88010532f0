"""The pages sell add-ons with a plan, show what a change costs, make it, and say what becomes of them."""

import re

import pytest

from billing.lifecycle import add_ons
from billing.models import AddOn
from billing.setup import publishing_add_ons

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world, client):
    publishing_add_ons.publish()
    ada = world.subscribed()
    client.force_login(ada.user)
    return ada


def text(answer):
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split()).replace("&#x27;", "'")


def test_more_is_listed_previewed_and_bought(world, client, ada):
    assert "500 more generations" in text(client.get("/billing/add-ons"))
    page = client.get("/billing/add-ons", {"add_on": "extra", "quantity": "2"})
    assert "Due now $16.00" in text(page)
    assert "$16.00 per month, on top of your plan" in text(page)
    form = dict(re.findall(r'name="(add_on|quantity|proration_date)" value="([^"]*)"', page.content.decode()))
    page = client.post("/billing/add-ons", form, follow=True)
    assert "Your add-ons have been changed." in text(page)
    assert "2 × 500 more generations $16.00 per month" in text(page)
    page = client.post("/billing/add-ons", {"add_on": "extra", "quantity": "0"}, follow=True)
    assert "Your add-ons change on" in text(page)
    assert "$16.00 per month, then none" in text(page)


def test_pages_say_what_becomes_of_an_add_on(world, client, ada):
    add_ons.set_quantity(ada.user, "extra", 2)
    assert "You keep 2 × 500 more generations, $16.00 per month." in text(
        client.get("/billing/change", {"plan": "team", "interval": "month"})
    )
    AddOn.objects.update(plans=["pro"])
    page = client.get("/billing/change", {"plan": "team", "interval": "month"})
    assert "2 × 500 more generations ends with this change" in text(page)
    assert "What you have on top of your plan ends with it: 2 × 500 more generations." in text(
        client.get("/billing/cancel")
    )


@pytest.mark.parametrize("quantity", ["", "-1", "many", "1.5", "9999999"])
def test_what_is_no_number_changes_nothing(world, client, ada, quantity):
    page = client.get("/billing/add-ons", {"add_on": "extra", "quantity": quantity}, follow=True)
    assert "Choose how many you want" in text(page)
    assert ada.row.add_ons == {}


def test_the_checkout_page_offers_and_sells_add_ons(world, client):
    publishing_add_ons.publish()
    client.force_login(world.sign_up("eve@example.com"))
    asked = {"plan": "pro", "interval": "month", "currency": "usd"}
    assert "500 more generations: $8.00 per month for each. How many?" in text(client.get("/billing/checkout", asked))
    answer = client.post("/billing/checkout", {**asked, "add_on_extra": "20000"})
    assert (answer.status_code, "at most" in text(answer)) == (400, True)
    answer = client.post("/billing/checkout", {**asked, "add_on_extra": "3"})
    session = answer["Location"].rpartition("/")[2]
    lines = world.stripe("GET", f"checkout/sessions/{session}/line_items")["data"]
    assert sorted(line["quantity"] for line in lines) == [1, 3]


def test_the_pages_speak_the_language_of_the_reader(world, client, ada):
    german = {"headers": {"Accept-Language": "de"}}
    add_ons.set_quantity(ada.user, "extra", 2)
    assert "500 weitere Generierungen pro Monat Sie haben 2." in text(client.get("/billing/add-ons", **german))
    asked = {"add_on": "extra", "quantity": "0"}
    page = text(client.get("/billing/add-ons", asked, **german))
    assert "Auf 500 weitere Generierungen verzichten" in page
    assert re.search(r"behalten Sie bis zum \d{1,2}\. \w+ 20\d\d", page)
    assert "Renoncer à 500 générations de plus" in text(
        client.get("/billing/add-ons", asked, headers={"Accept-Language": "fr"})
    )
    page = text(client.post("/billing/add-ons", asked, follow=True, **german)).replace("\xa0", " ")
    assert "Ihre Zusatzoptionen ändern sich am" in page
    assert "Ab dann: keine." in page
    assert "16,00 $ pro Monat, danach keine" in page

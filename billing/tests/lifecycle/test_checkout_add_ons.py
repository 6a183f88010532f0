"""Add-ons are lines of a Checkout: those that were chosen, as often as they were, at the price of its currency."""

import pytest

from billing.lifecycle import checkout_add_ons
from billing.lifecycle.refusals import AddOnNotOffered
from billing.models import AddOn, CheckoutAttempt, Plan, Price

PRICE = Price(pk="price_1", currency="usd", interval="month", plan=Plan(slug="pro", name="Pro"))


@pytest.fixture
def offered(monkeypatch):
    asked = []
    monkeypatch.setattr(checkout_add_ons, "add_on_named", lambda slug: f"the {slug}")
    monkeypatch.setattr(checkout_add_ons, "check_offered", lambda *what: asked.append(what))
    return asked


@pytest.mark.parametrize(("currency", "by"), [("", "usd"), ("eur", "eur")])
def test_each_that_is_bought_is_checked_by_its_number_in_the_currency(offered, currency, by):
    wanted = checkout_add_ons.checked({"seats": 1, "none": 0, "extra": 2}, PRICE, currency)
    assert list(wanted.items()) == [("extra", 2), ("seats", 1)]
    assert offered == [("the extra", PRICE, by, 2), ("the seats", PRICE, by, 1)]


def test_a_number_below_nothing_is_refused(offered):
    with pytest.raises(AddOnNotOffered, match="Choose a number that is not below 0"):
        checkout_add_ons.checked({"seats": -1}, PRICE, "")
    assert offered == []


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "by"), [("", "usd"), ("eur", "eur")])
def test_a_line_is_each_that_was_chosen_and_is_still_sold(monkeypatch, currency, by):
    for slug in ("extra", "gone", "other"):
        AddOn.objects.create(slug=slug, name=slug)

    def price_for(row, cadence, of):
        assert (cadence, of) == (PRICE.cadence, by)
        return None if row.slug == "gone" else Price(pk=f"price_{row.slug}")

    monkeypatch.setattr(checkout_add_ons.catalogue.add_ons, "price_for", price_for)
    attempt = CheckoutAttempt(price=PRICE, currency=currency, add_ons={"extra": 2, "gone": 1})
    assert checkout_add_ons.line_items(attempt) == [{"price": "price_extra", "quantity": 2}]
    attempt.add_ons = {}
    assert checkout_add_ons.line_items(attempt) == []

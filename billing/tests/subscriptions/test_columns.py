"""The columns about the card that will be charged, as the projection keeps them."""

from datetime import date
from typing import Any

import pytest

from billing.subscriptions import columns

CARD: dict[str, Any] = {"brand": "visa", "last4": "4242", "exp_month": 2, "exp_year": 2028}
VISA: dict[str, Any] = {"id": "pm_1", "object": "payment_method", "card": CARD}


def found(own: Any = None, of_customer: Any = None, **more: Any) -> dict[str, Any]:
    customer = {"id": "cus_1", "invoice_settings": {"default_payment_method": of_customer}}
    return {"default_payment_method": own, "customer": customer, **more}


def test_a_card_works_to_the_last_day_of_its_month_leap_years_included():
    assert columns.card_columns(found(own=VISA)) == {
        "payment_method_type": "card",
        "card_brand": "visa",
        "card_last4": "4242",
        "card_expires_on": date(2028, 2, 29),
    }


def test_the_subscriptions_own_card_comes_before_the_customers():
    other = {**VISA, "card": {**CARD, "last4": "1111"}}

    assert columns.card_columns(found(own=VISA, of_customer=other))["card_last4"] == "4242"
    assert columns.card_columns(found(of_customer=other))["card_last4"] == "1111"


@pytest.mark.parametrize("method", [None, {"id": "pm_2", "object": "payment_method", "type": "sepa_debit"}])
def test_no_card_is_shown_where_none_is_charged(method):
    kind = method["type"] if method else ""
    assert columns.card_columns(found(own=method)) == {**columns.NO_METHOD, "payment_method_type": kind}


@pytest.mark.parametrize(
    "unexpanded", [found(own="pm_1"), {"default_payment_method": None, "customer": "cus_1"}, found(default_source="c")]
)
def test_what_was_not_expanded_changes_nothing(unexpanded):
    assert columns.card_columns(unexpanded) == {}


def test_a_deleted_customer_has_no_card():
    assert (
        columns.card_columns({"default_payment_method": None, "customer": {"id": "cus_1", "deleted": True}})
        == columns.NO_METHOD
    )


def test_a_new_card_is_known_with_the_event_that_brings_it(world):
    ada = world.subscribed()
    assert (ada.row.card_brand, ada.row.card_last4) == ("visa", "4242")

    world.change_card(ada, "pm_card_mastercard")
    world.deliver()

    assert (ada.row.card_brand, ada.row.card_last4) == ("mastercard", "4444")

"""A Checkout that the site's own page shows with Stripe's elements: all but what a browser does."""

from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import stripe

from .conftest import Control

RETURN = "https://example.com/return?session_id={CHECKOUT_SESSION_ID}"


def test_a_session_for_elements_has_a_secret_and_no_page_and_is_completed_in_the_buyers_name(
    client: stripe.StripeClient, price: stripe.Price, customer: stripe.Customer, control: Control
) -> None:
    line: Any = [{"price": price.id, "quantity": 1}]
    wanted: Any = {"mode": "subscription", "customer": customer.id, "line_items": line, "return_url": RETURN}
    session = client.v1.checkout.sessions.create({**wanted, "ui_mode": "elements"})
    assert (session.ui_mode, session.url, session.return_url) == ("elements", None, RETURN)
    assert str(session.client_secret).startswith(f"{session.id}_secret_")
    done = control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_visa"})
    assert (done["outcome"], done["session"]["payment_status"]) == ("paid", "paid")


def test_the_page_of_a_session_for_elements_says_how_it_is_completed(
    client: stripe.StripeClient, price: stripe.Price, sandbox: Any
) -> None:
    wanted: Any = {"mode": "subscription", "line_items": [{"price": price.id, "quantity": 1}], "return_url": RETURN}
    session = client.v1.checkout.sessions.create({**wanted, "ui_mode": "elements"})
    with pytest.raises(HTTPError) as missing:
        urlopen(f"{sandbox.url}/c/{session.id}")
    with missing.value as answer:
        assert (answer.code, "has no page of its own" in answer.read().decode()) == (404, True)

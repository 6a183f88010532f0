"""A payment link is taxed like the sessions that it opens; its page leads nowhere back, and says when tax is known."""

from typing import Any
from urllib.request import urlopen

import pytest
import stripe

from ..conftest import Control
from ..test_pages import Browser
from .conftest import BERLIN, Made

TAX_WAITS = "Computed once you enter your address"
COLLECTS: Any = {"automatic_tax": {"enabled": True}, "tax_id_collection": {"enabled": True}}


@pytest.fixture
def link(client: stripe.StripeClient, priced: Made) -> Made:
    def make(**more: Any) -> stripe.PaymentLink:
        return client.v1.payment_links.create({"line_items": [{"price": priced().id, "quantity": 1}], **more})

    return make


def visited(client: stripe.StripeClient, link: stripe.PaymentLink) -> tuple[stripe.checkout.Session, str]:
    """Open the link; return the session and its page."""
    with urlopen(link.url) as answer:
        page = answer.read().decode()
    (session,) = client.v1.checkout.sessions.list({"payment_link": link.id}).data
    return session, page


def test_a_link_collects_tax_and_tax_ids(client: stripe.StripeClient, link: Made, control: Control) -> None:
    made = link(**COLLECTS)
    assert made.automatic_tax.to_dict() == {"enabled": True, "liability": {"type": "self"}}
    assert made.tax_id_collection.to_dict() == {"enabled": True, "required": "never"}
    session, page = visited(client, made)
    assert (session.automatic_tax.status, TAX_WAITS in page) == ("requires_location_inputs", True)
    vat = {"type": "eu_vat", "value": "DE123456789"}
    buyer = {"payment_method": "pm_card_visa", "email": "ada@example.com", "name": "Ada"}
    done = control(f"/checkout/{session.id}/complete", {**buyer, "billing_address": BERLIN, "tax_id": vat})["session"]
    assert (done["amount_total"], done["customer_details"]["tax_ids"]) == (1190, [vat])


def test_a_link_is_changed_to_collect_tax_and_back(client: stripe.StripeClient, link: Made) -> None:
    made = link()
    assert made.automatic_tax.to_dict() == {"enabled": False, "liability": None}
    assert client.v1.payment_links.update(made.id, {"automatic_tax": {"enabled": True}}).automatic_tax.enabled
    stays = client.v1.payment_links.update(made.id, {"metadata": {"a": "b"}})
    assert stays.automatic_tax.enabled
    off = client.v1.payment_links.update(made.id, {"automatic_tax": {"enabled": False}})
    session, page = visited(client, off)
    assert (session.automatic_tax.enabled, TAX_WAITS in page) == (False, False)


def test_the_page_of_a_link_leads_nowhere_back(client: stripe.StripeClient, link: Made, control: Control) -> None:
    session, page = visited(client, link())
    assert ("← Back" in page, session.cancel_url) == (False, "https://stripe.com")
    control("/advance", {"seconds": 25 * 3600})
    status, expired, _ = Browser(link().url).ask("GET", f"/c/{session.id}")
    assert (status, "Back to the site" in expired) == (410, False)


def test_the_page_of_a_session_leads_back_where_it_is_told(client: stripe.StripeClient, priced: Made) -> None:
    lines: Any = [{"price": priced().id, "quantity": 1}]
    wanted: Any = {"mode": "subscription", "success_url": "https://example.com/", "line_items": lines}
    for more, is_there in (({"cancel_url": "https://example.com/no"}, True), ({}, False)):
        with urlopen(str(client.v1.checkout.sessions.create({**wanted, **more}).url)) as answer:
            assert ("← Back" in answer.read().decode()) == is_there


def test_a_page_says_that_tax_is_still_computed_until_it_is(
    client: stripe.StripeClient, priced: Made, person: Made
) -> None:
    lines: Any = [{"price": priced().id, "quantity": 1}]
    wanted: Any = {"mode": "subscription", "success_url": "https://example.com/", "line_items": lines}
    wanted["automatic_tax"] = {"enabled": True}
    for more, waits in (({}, True), ({"customer": person(BERLIN).id}, False)):
        with urlopen(str(client.v1.checkout.sessions.create({**wanted, **more}).url)) as answer:
            page = answer.read().decode()
        assert (TAX_WAITS in page, "VAT (19%)" in page) == (waits, not waits)


def test_a_link_that_requires_a_tax_id_is_not_paid_without_one(client: stripe.StripeClient, control: Control) -> None:
    book: Any = {"currency": "eur", "unit_amount": 1190, "product_data": {"name": "Book"}, "tax_behavior": "inclusive"}
    asked: Any = {**COLLECTS, "tax_id_collection": {"enabled": True, "required": "if_supported"}}
    made = client.v1.payment_links.create({"line_items": [{"price_data": book, "quantity": 1}], **asked})
    buyer = {"payment_method": "pm_card_visa", "email": "ada@example.com", "name": "Ada", "billing_address": BERLIN}
    session, _ = visited(client, made)
    assert control(f"/checkout/{session.id}/complete", buyer)["error"]["param"] == "tax_id"
    changed: Any = {"tax_id_collection": {"enabled": True, "required": "never"}}
    assert client.v1.payment_links.update(made.id, changed).tax_id_collection.required == "never"
    with urlopen(made.url):
        latest = client.v1.checkout.sessions.list({"payment_link": made.id}).data[0]
    done = control(f"/checkout/{latest.id}/complete", buyer)["session"]
    assert (done["amount_total"], done["total_details"]["amount_tax"]) == (1190, 190)

"""What is billed by usage is bought at Checkout, without a quantity, and not switched in the portal."""

from typing import Any
from urllib.request import urlopen

import pytest
import stripe

from .metered import Shop, lines, shop

__all__ = ["shop"]
BACK: Any = {"mode": "subscription", "success_url": "http://127.0.0.1/"}


def bought(shop: Shop, *rows: Any) -> tuple[Any, Any]:
    session = shop.client.v1.checkout.sessions.create({**BACK, "line_items": list(rows)})
    done = shop.control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_visa"})["session"]
    return session, shop.client.v1.checkout.sessions.retrieve(done["id"], {"expand": ["subscription"]})


def test_usage_alone_is_bought_for_nothing_now_and_paid_by_the_card_later(shop: Shop) -> None:
    session, done = bought(shop, {"price": shop.price(unit_amount=5).id})
    assert (session.amount_total, done.payment_status, done.invoice) == (0, "no_payment_required", None)
    sub = done.subscription
    assert (sub.status, bool(sub.default_payment_method)) == ("active", True)
    shop.use(sub, 100)
    shop.pass_period(sub)
    assert (lines(shop.latest(sub)), shop.latest(sub).status) == ([("100 × Tokens (at $0.05 / month)", 500)], "paid")


def test_a_licence_beside_it_is_paid_at_once(shop: Shop) -> None:
    licence = {"price": shop.licensed(unit_amount=2000).id, "quantity": 1}
    session, done = bought(shop, licence, {"price": shop.price(unit_amount=5).id})
    assert (session.amount_total, done.payment_status) == (2000, "paid")
    assert len(done.subscription["items"].data) == 2


def test_a_metered_line_has_no_quantity(shop: Shop) -> None:
    row: Any = {"price": shop.price(unit_amount=5).id, "quantity": 1}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.checkout.sessions.create({**BACK, "line_items": [row]})
    assert refused.value.param == "line_items[0][quantity]"


def test_the_page_says_that_it_is_billed_by_usage(shop: Shop) -> None:
    session = shop.client.v1.checkout.sessions.create({**BACK, "line_items": [{"price": shop.price(unit_amount=5).id}]})
    with urlopen(str(session.url)) as page:
        assert "Billed by usage" in page.read().decode()


def test_tiers_are_summed_up_at_checkout(shop: Shop) -> None:
    tiers: Any = [{"up_to": 2, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 600}]
    seats = shop.licensed(billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    session, done = bought(shop, {"price": seats.id, "quantity": 5})
    assert (session.amount_total, shop.latest(done.subscription).total) == (3800, 3800)


def test_a_link_to_usage_leads_to_a_session_without_a_quantity(shop: Shop) -> None:
    metered: Any = {"price": shop.price(unit_amount=5).id, "quantity": 1}
    links = shop.client.v1.payment_links
    link = links.create({"line_items": [metered]})
    row: Any = links.line_items.list(link.id).data[0]
    assert row.quantity is None
    links.update(link.id, {"line_items": [{"id": row.id}]})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        links.update(link.id, {"line_items": [{"id": row.id, "quantity": 2}]})
    assert refused.value.param == "line_items[0][quantity]"
    with urlopen(link.url) as page:
        assert "Billed by usage" in page.read().decode()
    session = shop.client.v1.checkout.sessions.list({"payment_link": link.id}).data[0]
    shop.control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_visa"})
    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.amount_total, done.payment_status) == (0, "no_payment_required")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        links.create({"line_items": [{**metered, "quantity": 2}]})
    assert refused.value.param == "line_items[0][quantity]"

"""What a subscription that ends has used beyond its limits is shown before its last invoice bills it."""

import re

import pytest

from billing import usage
from billing.lifecycle import overview

from .metered_plans import metered_plans, shop, use  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True)]


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_what_the_last_invoice_bills_is_shown_and_then_billed(shop, client):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    use(ada, 140)
    use(ben, 140)
    shop.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    shop.deliver()
    told = overview.overview_of(ada.user).next_charge
    assert (told.amount, told.currency, told.at) == (100, "usd", ada.row.current_period_end)
    client.force_login(ada.user)
    assert "Your use beyond the limits is billed then: $1.00 so far, plus any tax" in text(client.get("/billing/"))
    assert "is billed then: $1.00 so far, plus any tax." in text(client.get("/billing/"))
    assert "still unpaid" not in text(client.get("/billing/"))
    assert client.get("/api/v1/subscriptions/current").json()["next_charge"]["amount"] == 100
    usage.reporting.cut_all()
    usage.each_minute()
    shop.advance(days=32)
    shop.deliver()
    [last] = shop.stripe("GET", "invoices", subscription=ada.subscription, limit=1)["data"]
    assert last["total"] == 100
    assert overview.overview_of(ben.user).subscription.status == "active"


def test_without_use_beyond_the_limits_nothing_more_is_shown(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 90)
    shop.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    shop.deliver()
    assert overview.overview_of(ada.user).next_charge is None

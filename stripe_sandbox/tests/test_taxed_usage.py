"""Usage is taxed after discounts and billing credits, by the rates of its item."""

from typing import Any

from .metered import Shop, shop
from .test_credit_grants import grant

__all__ = ["shop"]


def test_credits_pay_before_taxes_are_computed(shop: Shop) -> None:
    rate = shop.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False})
    items: Any = [{"price": shop.price(unit_amount=1).id, "tax_rates": [rate.id]}]
    sub = shop.client.v1.subscriptions.create({"customer": shop.subscriber().id, "items": items})
    grant(shop, sub.customer, 400)
    end = sub["items"].data[0].current_period_end
    shop.use(sub, 900)
    shop.control("/advance", {"to": end + 60})
    assert shop.latest(sub).total == 990
    shop.use(sub, 100, timestamp=end - 1)
    shop.pass_days(0.5)
    invoice = shop.latest(sub)
    assert (invoice.subtotal, invoice.total_taxes[0].amount, invoice.total, invoice.status) == (1000, 60, 660, "paid")


def test_usage_that_is_billed_by_a_change_keeps_its_rates(shop: Shop) -> None:
    rate = shop.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False})
    items: Any = [{"price": shop.price(unit_amount=1).id, "tax_rates": [rate.id]}]
    sub = shop.client.v1.subscriptions.create({"customer": shop.subscriber().id, "items": items})
    shop.use(sub, 1000)
    other: Any = [{"id": sub["items"].data[0].id, "price": shop.price(unit_amount=2).id}]
    shop.client.v1.subscriptions.update(sub.id, {"items": other, "proration_behavior": "always_invoice"})
    assert shop.latest(sub).total == 1100

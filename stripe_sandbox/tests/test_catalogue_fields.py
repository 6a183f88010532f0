"""Products, prices, coupons and codes keep what they are told, and act on it."""

from typing import Any

import pytest
import stripe

from .conftest import Control

DAY = 86_400
MONTH: Any = {"interval": "month"}


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


def test_a_product_is_made_with_its_price_and_changed(v1: Any) -> None:
    product = v1.products.create(
        {"name": "Hat", "default_price_data": {"currency": "usd", "unit_amount": 700, "recurring": MONTH}}
    )
    price = v1.prices.retrieve(product.default_price)
    assert (price.product, price.unit_amount, price.recurring.interval) == (product.id, 700, "month")
    other = v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 5})
    changed = v1.products.update(
        product.id, {"default_price": other.id, "active": False, "unit_label": "hat", "name": "Cap"}
    )
    assert (changed.default_price, changed.active, changed.unit_label, changed.name) == (other.id, False, "hat", "Cap")
    assert v1.products.update(product.id, {"default_price": ""}).default_price is None


def test_a_price_is_made_with_its_product_and_in_several_currencies(v1: Any) -> None:
    price = v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 2000,
            "recurring": MONTH,
            "active": False,
            "product_data": {"name": "Coat", "unit_label": "coat", "metadata": {"a": "b"}},
            "currency_options": {"eur": {"unit_amount": 1800}},
            "expand": ["product", "currency_options"],
        }
    )
    assert (price.active, price.product.name, price.product.unit_label) == (False, "Coat", "coat")
    assert price.currency_options["eur"].unit_amount == 1800
    changed = v1.prices.update(price.id, {"active": True, "nickname": "Monthly"})
    assert (changed.active, changed.nickname) == (True, "Monthly")
    person = v1.customers.create({"payment_method": "pm_card_visa"})
    card = v1.customers.payment_methods.list(person.id).data[0].id
    sub = v1.subscriptions.create(
        {"customer": person.id, "items": [{"price": price.id}], "currency": "eur", "default_payment_method": card,
         "expand": ["latest_invoice"]}
    )  # fmt: skip
    assert (sub.latest_invoice.currency, sub.latest_invoice.total) == ("eur", 1800)


def test_a_lookup_key_goes_over_to_another_price_only_if_told(v1: Any, price: Any) -> None:
    of: Any = {"product": price.product, "currency": "usd", "unit_amount": 5}
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        v1.prices.create({**of, "lookup_key": "pro"})
    other = v1.prices.create({**of, "lookup_key": "pro", "transfer_lookup_key": True})
    assert (other.lookup_key, v1.prices.retrieve(price.id).lookup_key) == ("pro", None)
    back = v1.prices.update(price.id, {"lookup_key": "pro", "transfer_lookup_key": True})
    assert (back.lookup_key, v1.prices.retrieve(other.id).lookup_key) == ("pro", None)


def test_a_coupon_gets_another_currency_later(v1: Any, price: Any) -> None:
    coupon = v1.coupons.create({"amount_off": 300, "currency": "usd", "duration": "once"})
    changed = v1.coupons.update(
        coupon.id, {"currency_options": {"eur": {"amount_off": 250}}, "expand": ["currency_options"]}
    )
    assert changed.currency_options["eur"].amount_off == 250


def test_a_code_ends_by_its_time_and_by_its_uses(v1: Any, price: Any, control: Control) -> None:
    promotion: Any = {"type": "coupon", "coupon": v1.coupons.create({"percent_off": 50}).id}
    now = control("", method="GET")["now"]
    soon = v1.promotion_codes.create({"promotion": promotion, "expires_at": now + DAY})
    once = v1.promotion_codes.create({"promotion": promotion, "max_redemptions": 1})
    person = v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    wanted: Any = {"customer": person.id, "items": [{"price": price.id}], "discounts": [{"promotion_code": once.id}]}
    assert v1.subscriptions.create({**wanted, "expand": ["latest_invoice"]}).latest_invoice.total == 1000
    with pytest.raises(stripe.InvalidRequestError, match="expired or is used up"):
        v1.subscriptions.create(wanted)
    control("/advance", {"seconds": DAY + 60})
    assert (v1.promotion_codes.retrieve(soon.id).active, v1.promotion_codes.retrieve(once.id).active) == (False, False)


def test_a_webhook_endpoint_moves_and_changes_what_it_wants(v1: Any) -> None:
    made = v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "description": "Ours"})
    changed = v1.webhook_endpoints.update(
        made.id, {"url": "http://127.0.0.1:9/two", "enabled_events": ["customer.created"]}
    )
    assert (made.description, changed.url, changed.enabled_events) == (
        "Ours",
        "http://127.0.0.1:9/two",
        ["customer.created"],
    )


def test_a_portal_configuration_is_changed_feature_by_feature(v1: Any, price: Any) -> None:
    profile: Any = {
        "headline": "Us",
        "privacy_policy_url": "https://x.example/p",
        "terms_of_service_url": "https://x.example/t",
    }
    made = v1.billing_portal.configurations.create(
        {
            "features": {"invoice_history": {"enabled": True}},
            "business_profile": profile,
            "default_return_url": "https://x.example/",
            "name": "Ours",
        }
    )
    assert (made.business_profile.to_dict(), made.default_return_url, made.name) == (
        profile,
        "https://x.example/",
        "Ours",
    )
    reasons: Any = {"enabled": True, "options": ["too_expensive"]}
    changed = v1.billing_portal.configurations.update(
        made.id,
        {
            "business_profile": {"headline": "Them"},
            "default_return_url": "https://x.example/two",
            "features": {
                "customer_update": {"enabled": True, "allowed_updates": ["email"]},
                "invoice_history": {"enabled": False},
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": True, "mode": "immediately", "cancellation_reason": reasons},
                "subscription_update": {
                    "enabled": True,
                    "default_allowed_updates": ["price"],
                    "products": [{"product": price.product, "prices": [price.id]}],
                },
            },
        },
    )
    features = changed.features
    assert (changed.business_profile.headline, changed.default_return_url) == ("Them", "https://x.example/two")
    assert (features.customer_update.allowed_updates, features.invoice_history.enabled) == (["email"], False)
    assert (features.payment_method_update.enabled, features.subscription_cancel.mode) == (True, "immediately")
    assert features.subscription_cancel.cancellation_reason.options == ["too_expensive"]
    assert features.subscription_update.products[0].prices == [price.id]
    person = v1.customers.create({})
    session = v1.billing_portal.sessions.create({"customer": person.id, "configuration": made.id})
    assert session.return_url == "https://x.example/two"

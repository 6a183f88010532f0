"""The calls of sdk_story: the SDK's name of each method (a word after it tells two calls apart) → how it is called."""

from typing import Any

CARD = {"type": "card", "card": {"token": "tok_visa"}}
RENT = {"interval": "month"}
BACK = {"success_url": "http://127.0.0.1/"}
TAKE = {"subscription_update": {"enabled": False}, "invoice_history": {"enabled": True}}


def bought(c: Any, w: Any, card: str = "pm_card_visa") -> Any:
    """A subscription bought at Checkout, with its invoice and payment expanded."""
    line = {"price": w["prices.create"].id, "quantity": 1}
    asked = {"mode": "subscription", "customer": w["customers.create"].id, "line_items": [line], **BACK}
    session = c.v1.checkout.sessions.create(asked)
    done = w["control"](f"checkout/{session.id}/complete", payment_method=card, outcome="paid")
    return c.v1.subscriptions.retrieve(done["session"]["subscription"], {"expand": ["latest_invoice.payments"]})


def subscribed(c: Any, w: Any) -> Any:
    item = {"price": w["prices.create"].id}
    return c.v1.subscriptions.create({"customer": w["customers.create"].id, "items": [item], "off_session": True})


def paused_and_resumed(c: Any, w: Any) -> Any:
    """One whose trial ended without a card."""
    poor = c.v1.customers.create({"email": "poor@example.com"})
    ends = {"end_behavior": {"missing_payment_method": "pause"}}
    items = [{"price": w["prices.create"].id}]
    trial = {"customer": poor.id, "items": items, "trial_period_days": 1, "trial_settings": ends}
    sub = c.v1.subscriptions.create(trial)
    w["control"]("advance", seconds=86_500)
    c.v1.payment_methods.attach("pm_card_visa", {"customer": poor.id})
    return c.v1.subscriptions.resume(sub.id)


def scheduled(c: Any, w: Any) -> str:
    return c.v1.subscription_schedules.create({"from_subscription": subscribed(c, w).id}).id


def cus(w: Any) -> str:
    return w["customers.create"].id


def entitled(c: Any, w: Any) -> str:
    return c.v1.entitlements.active_entitlements.list({"customer": cus(w)}).data[0].id


CALLS = {
    # The account
    "accounts.retrieve_current": lambda c, w: c.v1.accounts.retrieve_current(),
    "accounts.retrieve": lambda c, w: c.v1.accounts.retrieve(w["accounts.retrieve_current"].id),
    "accounts.list": lambda c, w: c.v1.accounts.list(),
    "webhook_endpoints.create": lambda c, w: c.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/", "enabled_events": ["plan.created"]}
    ),
    "webhook_endpoints.retrieve": lambda c, w: c.v1.webhook_endpoints.retrieve(w["webhook_endpoints.create"].id),
    "webhook_endpoints.update": lambda c, w: c.v1.webhook_endpoints.update(
        w["webhook_endpoints.create"].id, {"description": "ours"}
    ),
    "webhook_endpoints.list": lambda c, w: c.v1.webhook_endpoints.list(),
    "webhook_endpoints.delete": lambda c, w: c.v1.webhook_endpoints.delete(w["webhook_endpoints.create"].id),
    # The catalogue
    "products.create": lambda c, w: c.v1.products.create({"name": "Pro"}),
    "products.retrieve": lambda c, w: c.v1.products.retrieve(w["products.create"].id),
    "products.update": lambda c, w: c.v1.products.update(w["products.create"].id, {"description": "Everything"}),
    "products.list": lambda c, w: c.v1.products.list({"active": True}),
    "products.delete": lambda c, w: c.v1.products.delete(c.v1.products.create({"name": "Never sold"}).id),
    "prices.create": lambda c, w: c.v1.prices.create(
        {"product": w["products.create"].id, "currency": "usd", "unit_amount": 2000, "recurring": RENT}
    ),
    "prices.create once": lambda c, w: c.v1.prices.create(
        {"product": w["products.create"].id, "currency": "usd", "unit_amount": 700}
    ),
    "prices.retrieve": lambda c, w: c.v1.prices.retrieve(w["prices.create"].id, {"expand": ["currency_options"]}),
    "prices.update": lambda c, w: c.v1.prices.update(w["prices.create"].id, {"lookup_key": "pro"}),
    "prices.list": lambda c, w: c.v1.prices.list({"lookup_keys": ["pro"]}),
    "plans.retrieve": lambda c, w: c.v1.plans.retrieve(w["prices.create"].id),
    "plans.list": lambda c, w: c.v1.plans.list({"product": w["products.create"].id}),
    "coupons.create": lambda c, w: c.v1.coupons.create({"percent_off": 10, "duration": "forever"}),
    "coupons.retrieve": lambda c, w: c.v1.coupons.retrieve(w["coupons.create"].id),
    "coupons.update": lambda c, w: c.v1.coupons.update(w["coupons.create"].id, {"name": "Ten"}),
    "coupons.list": lambda c, w: c.v1.coupons.list(),
    "coupons.delete": lambda c, w: c.v1.coupons.delete(
        c.v1.coupons.create({"amount_off": 100, "currency": "usd", "duration": "once"}).id
    ),
    "promotion_codes.create": lambda c, w: c.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": w["coupons.create"].id}, "code": "TEN"}
    ),
    "promotion_codes.retrieve": lambda c, w: c.v1.promotion_codes.retrieve(w["promotion_codes.create"].id),
    "promotion_codes.update": lambda c, w: c.v1.promotion_codes.update(
        w["promotion_codes.create"].id, {"metadata": {"for": "friends"}}
    ),
    "promotion_codes.list": lambda c, w: c.v1.promotion_codes.list({"code": "TEN"}),
    # Customers and their cards
    "customers.create": lambda c, w: c.v1.customers.create(
        {"email": "ada@example.com", "payment_method": "pm_card_visa"}
    ),
    "customers.retrieve": lambda c, w: c.v1.customers.retrieve(cus(w), {"expand": ["sources", "subscriptions"]}),
    "customers.update": lambda c, w: c.v1.customers.update(cus(w), {"address": {"country": "DE"}}),
    "customers.list": lambda c, w: c.v1.customers.list({"email": "ada@example.com"}),
    "customers.delete": lambda c, w: c.v1.customers.delete(c.v1.customers.create({"name": "Ben"}).id),
    "payment_methods.create": lambda c, w: c.v1.payment_methods.create(CARD),
    "payment_methods.attach": lambda c, w: c.v1.payment_methods.attach(
        w["payment_methods.create"].id, {"customer": cus(w)}
    ),
    "customers.update card": lambda c, w: c.v1.customers.update(
        cus(w), {"invoice_settings": {"default_payment_method": w["payment_methods.create"].id}}
    ),
    "payment_methods.retrieve": lambda c, w: c.v1.payment_methods.retrieve(w["payment_methods.create"].id),
    "payment_methods.update": lambda c, w: c.v1.payment_methods.update(
        w["payment_methods.create"].id, {"card": {"exp_month": 7}}
    ),
    "payment_methods.list": lambda c, w: c.v1.payment_methods.list({"customer": cus(w), "type": "card"}),
    "payment_methods.detach": lambda c, w: c.v1.payment_methods.detach(
        c.v1.payment_methods.attach("pm_card_mastercard", {"customer": cus(w)}).id
    ),
    "customers.payment_methods.list": lambda c, w: c.v1.customers.payment_methods.list(cus(w)),
    "customers.payment_methods.retrieve": lambda c, w: c.v1.customers.payment_methods.retrieve(
        cus(w), w["payment_methods.create"].id
    ),
    "customers.balance_transactions.create": lambda c, w: c.v1.customers.balance_transactions.create(
        cus(w), {"amount": -100, "currency": "usd"}
    ),
    "customers.balance_transactions.retrieve": lambda c, w: c.v1.customers.balance_transactions.retrieve(
        cus(w), w["customers.balance_transactions.create"].id
    ),
    "customers.balance_transactions.update": lambda c, w: c.v1.customers.balance_transactions.update(
        cus(w), w["customers.balance_transactions.create"].id, {"description": "Sorry"}
    ),
    "customers.balance_transactions.list": lambda c, w: c.v1.customers.balance_transactions.list(cus(w)),
    "setup_intents.create": lambda c, w: c.v1.setup_intents.create({"customer": cus(w)}),
    "setup_intents.confirm": lambda c, w: c.v1.setup_intents.confirm(
        w["setup_intents.create"].id, {"payment_method": "pm_card_visa"}
    ),
    "setup_intents.retrieve": lambda c, w: c.v1.setup_intents.retrieve(w["setup_intents.create"].id),
    "setup_intents.update": lambda c, w: c.v1.setup_intents.update(
        c.v1.setup_intents.create({}).id, {"customer": cus(w), "payment_method": "pm_card_visa"}
    ),
    "setup_intents.cancel": lambda c, w: c.v1.setup_intents.cancel(w["setup_intents.update"].id),
    "setup_intents.list": lambda c, w: c.v1.setup_intents.list({"customer": cus(w)}),
    # Checkout and the portal
    "checkout.sessions.create": lambda c, w: c.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price": w["prices.create once"].id, "quantity": 1}], **BACK}
    ),
    "checkout.sessions.create setup": lambda c, w: c.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": cus(w), **BACK}
    ),
    "checkout.sessions.retrieve": lambda c, w: c.v1.checkout.sessions.retrieve(w["checkout.sessions.create"].id),
    "checkout.sessions.update": lambda c, w: c.v1.checkout.sessions.update(
        w["checkout.sessions.create"].id, {"metadata": {"a": "b"}}
    ),
    "checkout.sessions.line_items.list": lambda c, w: c.v1.checkout.sessions.line_items.list(
        w["checkout.sessions.create"].id
    ),
    "checkout.sessions.expire": lambda c, w: c.v1.checkout.sessions.expire(w["checkout.sessions.create"].id),
    "checkout.sessions.list": lambda c, w: c.v1.checkout.sessions.list({"status": "expired"}),
    "billing_portal.configurations.create": lambda c, w: c.v1.billing_portal.configurations.create({"features": TAKE}),
    "billing_portal.configurations.retrieve": lambda c, w: c.v1.billing_portal.configurations.retrieve(
        w["billing_portal.configurations.create"].id
    ),
    "billing_portal.configurations.update": lambda c, w: c.v1.billing_portal.configurations.update(
        w["billing_portal.configurations.create"].id, {"name": "Ours"}
    ),
    "billing_portal.configurations.list": lambda c, w: c.v1.billing_portal.configurations.list({"active": True}),
    "billing_portal.sessions.create": lambda c, w: c.v1.billing_portal.sessions.create(
        {"customer": cus(w), "configuration": w["billing_portal.configurations.create"].id}
    ),
    # Subscriptions
    "subscriptions.create": subscribed,
    "subscriptions.retrieve": bought,
    "subscriptions.update": lambda c, w: c.v1.subscriptions.update(
        w["subscriptions.create"].id, {"discounts": [{"coupon": w["coupons.create"].id}]}
    ),
    "subscriptions.delete_discount": lambda c, w: c.v1.subscriptions.delete_discount(w["subscriptions.create"].id),
    "subscriptions.list": lambda c, w: c.v1.subscriptions.list({"customer": cus(w)}),
    "subscriptions.resume": paused_and_resumed,
    "subscriptions.cancel": lambda c, w: c.v1.subscriptions.cancel(subscribed(c, w).id),
    "subscription_items.list": lambda c, w: c.v1.subscription_items.list(
        {"subscription": w["subscriptions.create"].id}
    ),
    "subscription_items.retrieve": lambda c, w: c.v1.subscription_items.retrieve(
        w["subscription_items.list"].data[0].id
    ),
    "subscription_items.create": lambda c, w: c.v1.subscription_items.create(
        {
            "subscription": w["subscriptions.create"].id,
            "price": c.v1.prices.create(
                {"product": w["products.create"].id, "currency": "usd", "unit_amount": 100, "recurring": RENT}
            ).id,
            "proration_behavior": "none",
        }
    ),
    "subscription_items.update": lambda c, w: c.v1.subscription_items.update(
        w["subscription_items.create"].id, {"quantity": 2, "proration_behavior": "none"}
    ),
    "subscription_items.delete": lambda c, w: c.v1.subscription_items.delete(
        w["subscription_items.create"].id, {"proration_behavior": "none"}
    ),
    "subscription_schedules.create": lambda c, w: c.v1.subscription_schedules.create(
        {"from_subscription": w["subscriptions.create"].id}
    ),
    "subscription_schedules.retrieve": lambda c, w: c.v1.subscription_schedules.retrieve(
        w["subscription_schedules.create"].id
    ),
    "subscription_schedules.update": lambda c, w: c.v1.subscription_schedules.update(
        w["subscription_schedules.create"].id, {"metadata": {"a": "b"}}
    ),
    "subscription_schedules.list": lambda c, w: c.v1.subscription_schedules.list({"customer": cus(w)}),
    "subscription_schedules.release": lambda c, w: c.v1.subscription_schedules.release(
        w["subscription_schedules.create"].id
    ),
    "subscription_schedules.cancel": lambda c, w: c.v1.subscription_schedules.cancel(
        scheduled(c, w), {"prorate": False}
    ),
}
CALLS |= {
    "entitlements.features.list": lambda c, w: c.v1.entitlements.features.list(),
    "entitlements.active_entitlements.list": lambda c, w: c.v1.entitlements.active_entitlements.list(
        {"customer": cus(w)}
    ),
    "products.features.list": lambda c, w: c.v1.products.features.list(w["products.create"].id),
}
CALLS |= {
    "entitlements.features.create": lambda c, w: c.v1.entitlements.features.create(
        {"lookup_key": "export", "name": "Export"}
    ),
    "entitlements.features.retrieve": lambda c, w: c.v1.entitlements.features.retrieve(
        w["entitlements.features.create"].id
    ),
    "entitlements.features.update": lambda c, w: c.v1.entitlements.features.update(
        w["entitlements.features.create"].id, {"name": "Exports"}
    ),
    "products.features.create": lambda c, w: c.v1.products.features.create(
        w["products.create"].id, {"entitlement_feature": w["entitlements.features.create"].id}
    ),
    "products.features.retrieve": lambda c, w: c.v1.products.features.retrieve(
        w["products.create"].id, w["products.features.create"].id
    ),
    "entitlements.active_entitlements.retrieve": lambda c, w: c.v1.entitlements.active_entitlements.retrieve(
        entitled(c, w)
    ),
    "products.features.delete": lambda c, w: c.v1.products.features.delete(
        w["products.create"].id, w["products.features.create"].id
    ),
    "test_helpers.test_clocks.create": lambda c, w: c.v1.test_helpers.test_clocks.create(
        {"frozen_time": 1_900_000_000}
    ),
    "test_helpers.test_clocks.retrieve": lambda c, w: c.v1.test_helpers.test_clocks.retrieve(
        w["test_helpers.test_clocks.create"].id
    ),
    "test_helpers.test_clocks.advance": lambda c, w: c.v1.test_helpers.test_clocks.advance(
        w["test_helpers.test_clocks.create"].id, {"frozen_time": 1_900_086_400}
    ),
    "test_helpers.test_clocks.list": lambda c, w: c.v1.test_helpers.test_clocks.list(),
    "test_helpers.test_clocks.delete": lambda c, w: c.v1.test_helpers.test_clocks.delete(
        w["test_helpers.test_clocks.create"].id
    ),
}

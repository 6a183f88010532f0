"""The calls of test_sdk that sell by links: payment links, shipping rates, tokens."""

from typing import Any

LINE = {"price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Sticker"}}, "quantity": 1}
GROUND = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
CARD = {"number": "4242424242424242", "exp_month": "7", "exp_year": "2031"}


def link(w: Any) -> str:
    return w["payment_links.create"].id


SELLING_CALLS = {
    "payment_links.create": lambda c, w: c.v1.payment_links.create({"line_items": [LINE]}),
    "payment_links.retrieve": lambda c, w: c.v1.payment_links.retrieve(link(w), {"expand": ["line_items"]}),
    "payment_links.update": lambda c, w: c.v1.payment_links.update(link(w), {"metadata": {"a": "b"}}),
    "payment_links.list": lambda c, w: c.v1.payment_links.list({"active": True}),
    "payment_links.line_items.list": lambda c, w: c.v1.payment_links.line_items.list(link(w)),
    "shipping_rates.create": lambda c, w: c.v1.shipping_rates.create(GROUND),
    "shipping_rates.retrieve": lambda c, w: c.v1.shipping_rates.retrieve(w["shipping_rates.create"].id),
    "shipping_rates.update": lambda c, w: c.v1.shipping_rates.update(w["shipping_rates.create"].id, {"active": False}),
    "shipping_rates.list": lambda c, w: c.v1.shipping_rates.list({"active": False}),
    "tokens.create": lambda c, w: c.v1.tokens.create({"card": CARD}),
    "tokens.retrieve": lambda c, w: c.v1.tokens.retrieve(w["tokens.create"].id),
    "checkout.sessions.create embedded": lambda c, w: c.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "ui_mode": "embedded_page",
            "return_url": "http://127.0.0.1/",
            "line_items": [{**LINE, "adjustable_quantity": {"enabled": True}}],
            "shipping_options": [{"shipping_rate_data": GROUND}],
        }
    ),
}

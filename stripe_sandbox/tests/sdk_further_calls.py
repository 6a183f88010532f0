"""The calls of test_sdk that find objects, quote prices and direct events."""

from typing import Any

from .sdk_calls import cus

SEARCHES = {
    "charges": "amount>0",
    "customers": "email~'example'",
    "invoices": "total>0",
    "payment_intents": "status:'succeeded'",
    "prices": "active:'true'",
    "products": "name:'Pro'",
    "subscriptions": "status:'active'",
}


def _searching(family: str, query: str) -> Any:
    return lambda c, w: getattr(c.v1, family).search({"query": query})


def attached(c: Any, w: Any) -> Any:
    draft = c.v1.invoices.create({"customer": cus(w), "auto_advance": False})
    c.v1.invoice_items.create({"customer": cus(w), "invoice": draft.id, "amount": 900, "currency": "usd"})
    part = c.v1.payment_intents.create({"amount": 500, "currency": "usd", "customer": cus(w)})
    c.v1.invoices.finalize_invoice(draft.id)
    return c.v1.invoices.attach_payment(draft.id, {"payment_intent": part.id})


def quoted(c: Any, w: Any) -> Any:
    return c.v1.quotes.create({"customer": cus(w), "line_items": [{"price": w["prices.create once"].id}]})


def downloaded(c: Any, w: Any) -> Any:
    """Return the quote whose PDF was read."""
    assert c.v1.quotes.pdf(w["quotes.create"].id).io.read().startswith(b"%PDF")
    return c.v1.quotes.retrieve(w["quotes.create"].id)


def undiscounted(c: Any, w: Any) -> Any:
    """Return the discount that was the customer's own."""
    coupon = c.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    w["control"](f"customers/{cus(w)}/discount", coupon=coupon.id)
    return c.v1.customers.delete_discount(cus(w))


ELSEWHERE = {"type": "webhook_endpoint", "webhook_endpoint": {"url": "http://127.0.0.1:9/"}}


def directed(c: Any, w: Any) -> Any:
    asked = {"name": "Ours", "event_payload": "thin", "enabled_events": ["*"], **ELSEWHERE}
    return c.v2.core.event_destinations.create(asked)


def ed(w: Any) -> str:
    return str(w["v2.core.event_destinations.create"].id)


FURTHER_CALLS = {
    **{f"{family}.search": _searching(family, query) for family, query in SEARCHES.items()},
    "v2.core.event_destinations.create": directed,
    "v2.core.event_destinations.retrieve": lambda c, w: c.v2.core.event_destinations.retrieve(ed(w)),
    "v2.core.event_destinations.update": lambda c, w: c.v2.core.event_destinations.update(ed(w), {"name": "Mine"}),
    "v2.core.event_destinations.list": lambda c, w: c.v2.core.event_destinations.list(),
    "v2.core.event_destinations.ping": lambda c, w: c.v2.core.event_destinations.ping(ed(w)),
    "v2.core.events.retrieve": lambda c, w: c.v2.core.events.retrieve(w["v2.core.event_destinations.ping"].id),
    "v2.core.events.list": lambda c, w: c.v2.core.events.list(),
    "v2.core.event_destinations.disable": lambda c, w: c.v2.core.event_destinations.disable(ed(w)),
    "v2.core.event_destinations.enable": lambda c, w: c.v2.core.event_destinations.enable(ed(w)),
    "v2.core.event_destinations.delete": lambda c, w: c.v2.core.event_destinations.delete(directed(c, w).id),
    "invoices.attach_payment": attached,
    "customers.delete_discount": undiscounted,
    "plans.create": lambda c, w: c.v1.plans.create(
        {"amount": 5, "currency": "usd", "interval": "day", "product": w["products.create"].id}
    ),
    "plans.update": lambda c, w: c.v1.plans.update(w["plans.create"].id, {"nickname": "Daily"}),
    "plans.delete": lambda c, w: c.v1.plans.delete(w["plans.create"].id),
    "quotes.create": quoted,
    "quotes.retrieve": lambda c, w: c.v1.quotes.retrieve(w["quotes.create"].id, {"expand": ["line_items"]}),
    "quotes.update": lambda c, w: c.v1.quotes.update(w["quotes.create"].id, {"header": "Hello"}),
    "quotes.list": lambda c, w: c.v1.quotes.list({"status": "draft"}),
    "quotes.line_items.list": lambda c, w: c.v1.quotes.line_items.list(w["quotes.create"].id),
    "quotes.computed_upfront_line_items.list": lambda c, w: c.v1.quotes.computed_upfront_line_items.list(
        w["quotes.create"].id
    ),
    "quotes.finalize_quote": lambda c, w: c.v1.quotes.finalize_quote(w["quotes.create"].id),
    "quotes.pdf": downloaded,
    "quotes.accept": lambda c, w: c.v1.quotes.accept(w["quotes.create"].id),
    "quotes.cancel": lambda c, w: c.v1.quotes.cancel(quoted(c, w).id),
}

"""These requests end otherwise without one of their parameters, which `effects.py` proves where nothing else does."""

from typing import Any

import pytest

from .by_hand import MONTHLY, Asker, ask, buyer

__all__ = ["ask", "buyer"]
BY_CARD = {
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "confirm": "true",
}


def paid(ask: Asker, customer: str, card: str = "pm_card_visa") -> Any:
    form = {"amount": "900", "currency": "usd", "customer": customer, "payment_method": card}
    return ask.made("payment_intents", {**form, **BY_CARD})


def stocked(ask: Asker) -> dict[str, str]:
    """Return the ids of one of everything, made for a customer of its own."""
    card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
    customer = ask.made("customers", card)["id"]
    price = ask.made("prices", {**MONTHLY, "lookup_key": customer})
    sub = ask.made("subscriptions", {"customer": customer, "items[0][price]": price["id"]})
    draft = ask.made("invoices", {"customer": customer, "collection_method": "send_invoice", "days_until_due": "9"})
    ask.made("invoiceitems", {"customer": customer, "invoice": draft["id"], "amount": "900", "currency": "usd"})
    ask.made(f"invoices/{draft['id']}/finalize")
    note = ask.made("credit_notes", {"invoice": draft["id"], "amount": "100"})
    intent = paid(ask, customer, "pm_card_createDispute")
    ask.made("setup_intents", {"customer": customer})
    grant = {"customer": customer, "category": "paid", "amount[type]": "monetary", "amount[monetary][value]": "5",
             "amount[monetary][currency]": "usd", "applicability_config[scope][price_type]": "metered"}  # fmt: skip
    ask.made("billing/credit_grants", grant)
    phase = {"phases[0][items][0][price]": price["id"]}
    ask.made("subscription_schedules", {"customer": customer, "start_date": "now", **phase})
    return {"customer": customer, "product": price["product"], "subscription": sub["id"], "invoice": draft["id"],
            "payment_intent": intent["id"], "charge": intent["latest_charge"], "lookup_keys[0]": customer,
            "credit_note": note["id"]}  # fmt: skip


NARROWED = [
    ("billing/credit_grants", "customer"), ("billing/credit_balance_transactions", "customer"),
    ("charges", "customer"), ("credit_notes", "customer"), ("credit_notes", "invoice"), ("disputes", "charge"),
    ("disputes", "payment_intent"), ("invoiceitems", "customer"), ("invoiceitems", "invoice"),
    ("invoices", "customer"), ("payment_intents", "customer"), ("payment_methods", "customer"),
    ("plans", "product"), ("prices", "lookup_keys[0]"), ("refunds", "charge"), ("setup_intents", "customer"),
    ("subscription_schedules", "customer"),
]  # fmt: skip


def test_a_list_is_narrowed_to_what_is_anothers_no_more(ask: Asker) -> None:
    ones, others = stocked(ask), stocked(ask)
    for each in (ones, others):
        ask.made("refunds", {"charge": paid(ask, each["customer"])["latest_charge"]})
    for path, name in NARROWED:
        everything = {row["id"] for row in ask("GET", path)[1]["data"]}
        found = {row["id"] for row in ask("GET", path, {name: ones[name]})[1]["data"]}
        assert found < everything, (path, name)


CHOICES: list[tuple[str, str, str, dict[str, str], dict[str, str]]] = [
    ("tax_rates", "inclusive", "true", {"display_name": "VAT", "percentage": "5", "inclusive": "true"},
     {"display_name": "VAT", "percentage": "5", "inclusive": "false"}),
    ("tax_rates", "created[gt]", "9999999999", {"display_name": "VAT", "percentage": "5", "inclusive": "true"}, {}),
    ("entitlements/features", "archived", "true", {"name": "A", "lookup_key": "a"}, {}),
    ("billing_portal/configurations", "active", "false", {"features[invoice_history][enabled]": "true"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "value", "one", "other"), CHOICES, ids=lambda value: str(value)[:30])
def test_a_list_is_narrowed_by_a_choice(
    ask: Asker, path: str, name: str, value: str, one: dict[str, str], other: dict[str, str]
) -> None:
    for form in filter(None, (one, other)):
        ask.made(path, form)
    everything, found = (len(ask("GET", path, form)[1]["data"]) for form in ({}, {name: value}))
    assert found < everything


def test_lists_tell_states_apart(ask: Asker, buyer: str) -> None:
    price = ask.made("prices", MONTHLY)["id"]
    ask.made("subscriptions", {"customer": buyer, "items[0][price]": price})
    ended = ask.made("subscriptions", {"customer": buyer, "items[0][price]": price})["id"]
    ask("DELETE", f"subscriptions/{ended}")
    assert [row["id"] for row in ask("GET", "subscriptions", "status=canceled")[1]["data"]] == [ended]
    ask.made("invoices", {"customer": buyer})
    assert len(ask("GET", "invoices", "status=draft")[1]["data"]) == 1
    links = [ask.made("payment_links", {"line_items[0][price]": price, "line_items[0][quantity]": "1"}) for _ in "ab"]
    ask.made(f"payment_links/{links[0]['id']}", {"active": "false"})
    assert len(ask("GET", "payment_links", "active=true")[1]["data"]) == 1
    later = {"customer": buyer, "start_date": str(2_000_000_000), "phases[0][items][0][price]": price}
    for start in (str(2_000_000_000), "now"):
        ask.made("subscription_schedules", {**later, "start_date": start})
    assert len(ask("GET", "subscription_schedules", "scheduled=true")[1]["data"]) == 1
    ask.made("refunds", {"payment_intent": paid(ask, buyer)["id"]})
    assert len(ask("GET", "balance_transactions", "type=refund")[1]["data"]) == 1
    account = ask.made("payment_methods/pm_usBankAccount_success/attach", {"customer": buyer})["id"]
    listed = ask("GET", "payment_methods", {"customer": buyer, "type": "us_bank_account"})[1]["data"]
    assert [row["id"] for row in listed] == [account]


def test_sessions_are_found_by_their_payment_and_their_link(ask: Asker, sandbox: Any, control: Any) -> None:
    line = {f"line_items[0]{name}": value for name, value in {
        "[quantity]": "1", "[price_data][currency]": "usd", "[price_data][unit_amount]": "900",
        "[price_data][product_data][name]": "Hat"}.items()}  # fmt: skip
    for _ in range(2):
        session = ask.made("checkout/sessions", {"mode": "payment", "success_url": "http://x.co/", **line})
        control(f"/checkout/{session['id']}/complete", {"payment_method": "pm_card_visa", "email": "eve@example.com"})
    intent = ask("GET", f"checkout/sessions/{session['id']}")[1]["payment_intent"]
    assert len(ask("GET", "checkout/sessions", {"payment_intent": intent})[1]["data"]) == 1
    link = ask.made("payment_links", {**line})["id"]
    assert ask("GET", "checkout/sessions", {"payment_link": link})[1]["data"] == []


WRITTEN = {
    "charges": {"description": "Hat"},
    "coupons": {"name": "Spring"},
    "credit_notes": {"memo": "Sorry"},
    "invoices": {"description": "June", "footer": "Thanks"},
    "billing_portal/configurations": {"name": "Ours"},
    "webhook_endpoints": {"description": "Ours"},
    "products": {"description": "Warm", "url": "https://example.com", "statement_descriptor": "HAT",
                 "shippable": "true", "marketing_features[0][name]": "Warm"},
}  # fmt: skip


@pytest.mark.parametrize("family", WRITTEN)
def test_what_is_written_is_shown(ask: Asker, family: str) -> None:
    made = {
        "charges": lambda: paid(ask, ask.made("customers")["id"])["latest_charge"],
        "coupons": lambda: ask.made("coupons", "percent_off=5")["id"],
        "credit_notes": lambda: stocked(ask)["credit_note"],
        "invoices": lambda: ask.made("invoices", {"customer": ask.made("customers")["id"]})["id"],
        "billing_portal/configurations": lambda: ask.made(
            family, "features[invoice_history][enabled]=true")["id"],
        "webhook_endpoints": lambda: ask.made(family, "url=https://example.com/x&enabled_events[0]=*")["id"],
        "products": lambda: ask.made("products", "name=Hat")["id"],
    }[family]()  # fmt: skip
    row = ask.made(f"{family}/{made}", WRITTEN[family])
    for name, value in WRITTEN[family].items():
        shown = row[name.partition("[")[0]]
        assert str(shown).lower() == value.lower() or value in str(shown)


def test_a_setup_intent_and_a_card_are_changed(ask: Asker, buyer: str) -> None:
    intent = ask.made("setup_intents", "usage=on_session")
    assert intent["usage"] == "on_session"
    changed = ask.made(f"setup_intents/{intent['id']}", {"customer": buyer, "payment_method": "pm_card_visa"})
    assert (changed["customer"], changed["status"]) == (buyer, "requires_confirmation")
    card = ask("GET", f"customers/{buyer}/payment_methods")[1]["data"][0]
    form = {"card[exp_month]": "2", "card[exp_year]": "2040"}
    assert ask.made(f"payment_methods/{card['id']}", form)["card"]["exp_month"] == 2


def test_a_plan_is_put_away_metered_and_in_no_tiers(ask: Asker) -> None:
    product = ask.made("products", "name=Pro")["id"]
    plan = {"product": product, "currency": "usd", "interval": "month"}
    assert ask.made("plans", {**plan, "amount": "5", "active": "false"})["active"] is False
    assert ask("POST", "plans", {**plan, "amount": "5", "billing_scheme": "tiered"})[0] == 400
    assert ask("POST", "plans", {**plan, "amount": "5", "usage_type": "metered"})[0] == 400
    rate = {"display_name": "VAT", "percentage": "5", "inclusive": "false", "active": "false"}
    assert ask.made("tax_rates", rate)["active"] is False


def test_an_amount_that_takes_no_discount(ask: Asker, buyer: str) -> None:
    coupon = ask.made("coupons", "percent_off=50&duration=once")["id"]
    form = {"customer": buyer, "discounts[0][coupon]": coupon, "auto_advance": "false"}
    invoice = ask.made("invoices", form)["id"]
    item = {"customer": buyer, "invoice": invoice, "amount": "1000", "currency": "usd"}
    ask.made("invoiceitems", {**item, "discountable": "false"})
    ask.made("invoiceitems", item)
    shown = ask("GET", f"invoices/{invoice}")[1]
    assert shown["total"] == 1500
    line = next(line["id"] for line in shown["lines"]["data"] if line["discountable"])
    form = {"lines[0][id]": line, "lines[0][discountable]": "false"}
    assert ask.made(f"invoices/{invoice}/update_lines", form)["total"] == 2000


@pytest.mark.parametrize("path", ["payment_intents", "setup_intents"])
def test_a_security_code_is_three_digits_wherever_a_card_is_described(ask: Asker, path: str) -> None:
    card = {f"payment_method_data{name}": value for name, value in {
        "[type]": "card", "[card][number]": "4242424242424242", "[card][exp_month]": "1", "[card][exp_year]": "2040",
        "[card][cvc]": "12"}.items()}  # fmt: skip
    first = {"amount": "900", "currency": "usd"} if path == "payment_intents" else {}
    intent = ask.made(path, first)["id"]
    for where, form in ((path, first), (f"{path}/{intent}", {}), (f"{path}/{intent}/confirm", {})):
        status, answer = ask("POST", where, {**form, **card})
        assert (status, answer["error"]["code"]) == (402, "invalid_cvc")


def test_nobody_is_there_to_confirm_a_change(ask: Asker) -> None:
    form = {"payment_method": "pm_card_authenticationRequired",
            "invoice_settings[default_payment_method]": "pm_card_authenticationRequired"}  # fmt: skip
    customer, price = ask.made("customers", form)["id"], ask.made("prices", MONTHLY)["id"]
    bought = {"customer": customer, "items[0][price]": price, "payment_behavior": "allow_incomplete"}
    for there in ({}, {"off_session": "true"}):
        assert ask.made("subscriptions", {**bought, **there})["status"] == "incomplete"


def test_a_change_of_an_item_that_cannot_be_paid_is_refused_if_asked(ask: Asker, buyer: str) -> None:
    price = ask.made("prices", MONTHLY)["id"]
    other = ask.made("prices", {**MONTHLY, "unit_amount": "500"})["id"]
    form = {"customer": buyer, "items[0][price]": price, "items[1][price]": other}
    sub = ask.made("subscriptions", form)
    first, second = (item["id"] for item in sub["items"]["data"])
    bad = ask.made("payment_methods/pm_card_chargeCustomerFail/attach", {"customer": buyer})["id"]
    ask.made(f"subscriptions/{sub['id']}", {"default_payment_method": bad})
    how = {"proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"}
    status, answer = ask("POST", f"subscription_items/{first}", {**how, "quantity": "9"})
    assert (status, answer["error"]["code"]) == (402, "card_declined")
    refused = ask("DELETE", f"subscription_items/{second}", {"clear_usage": "true"})
    assert (refused[0], refused[1]["error"]["param"]) == (400, "items[0][clear_usage]")

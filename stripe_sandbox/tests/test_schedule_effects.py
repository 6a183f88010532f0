"""A schedule's phases count, in the subscription and in a preview: without them a request ends otherwise."""

from typing import Any

import pytest

from .by_hand import MONTHLY, Asker, ask, buyer
from .conftest import Control

__all__ = ["ask", "buyer"]
DAY = 86_400
PHASE = "schedule_details[phases][0]"


@pytest.fixture
def price(ask: Asker) -> Any:
    return ask.made("prices", {**MONTHLY, "currency_options[eur][unit_amount]": "700"})


@pytest.fixture
def schedule(ask: Asker, buyer: str, price: Any) -> Any:
    sub = ask.made("subscriptions", {"customer": buyer, "items[0][price]": price["id"]})
    return ask.made("subscription_schedules", {"from_subscription": sub["id"]})


def previewed(ask: Asker, form: dict[str, Any]) -> Any:
    return ask.made("invoices/create_preview", form)


def of_new(buyer: str, price: Any, **terms: str) -> dict[str, Any]:
    return {"customer": buyer, f"{PHASE}[items][0][price]": price["id"],
            **{f"{PHASE}{name}": value for name, value in terms.items()}}  # fmt: skip


def test_the_terms_of_a_phase_are_on_the_previewed_invoice(ask: Asker, buyer: str, price: Any) -> None:
    sent = {"[collection_method]": "send_invoice", "[invoice_settings][days_until_due]": "9"}
    shown = previewed(ask, of_new(buyer, price, **sent))
    assert (shown["collection_method"], shown["due_date"] - shown["created"]) == ("send_invoice", 9 * DAY)


def test_the_tax_of_a_phase_is_on_the_previewed_invoice(ask: Asker, price: Any) -> None:
    there = ask.made("customers", {"address[country]": "DE", "address[postal_code]": "10115"})["id"]
    assert previewed(ask, of_new(there, price, **{"[automatic_tax][enabled]": "true"}))["total_taxes"]


def test_the_metadata_of_a_phase_is_on_the_previewed_invoice(ask: Asker, schedule: Any, price: Any) -> None:
    form = {"schedule": schedule["id"], f"{PHASE}[items][0][price]": price["id"], f"{PHASE}[metadata][a]": "1"}
    form[f"{PHASE}[start_date]"] = schedule["phases"][0]["start_date"]
    shown = previewed(ask, {**form, f"{PHASE}[end_date]": schedule["phases"][0]["end_date"] + 60 * DAY})
    assert shown["parent"]["subscription_details"]["metadata"] == {"a": "1"}


def test_a_preview_after_the_end_is_of_nothing(ask: Asker, schedule: Any) -> None:
    form = {"schedule": schedule["id"], "schedule_details[end_behavior]": "cancel"}
    status, answer = ask("POST", "invoices/create_preview", form)
    assert (status, answer["error"]["code"]) == (404, "invoice_upcoming_none")
    del form["schedule_details[end_behavior]"]
    assert previewed(ask, form)["total"] == 900


def test_how_long_a_phase_lasts_decides_what_the_next_invoice_is_of(ask: Asker, schedule: Any, price: Any) -> None:
    dearer = ask.made("prices", {**MONTHLY, "unit_amount": "5000"})["id"]
    now = schedule["phases"][0]
    form = {"schedule": schedule["id"], f"{PHASE}[items][0][price]": price["id"],
            f"{PHASE}[start_date]": now["start_date"], f"{PHASE}[end_date]": now["end_date"] + 40 * DAY,
            "schedule_details[phases][1][items][0][price]": dearer}  # fmt: skip
    assert previewed(ask, form)["total"] == 900
    assert previewed(ask, {**form, f"{PHASE}[end_date]": now["end_date"]})["total"] == 5000


@pytest.mark.parametrize(
    "wrong",
    [
        {"[start_date]": "1000000000"},
        {"[discounts][0][discount]": "di_none"},
        {"[items][0][discounts][0][discount]": "di_none"},
        {"[billing_thresholds][amount_gte]": "1"},
        {"[items][0][billing_thresholds][usage_gte]": "5"},
    ],
    ids=str,
)
def test_a_previewed_phase_that_cannot_be_is_refused(
    ask: Asker, schedule: Any, price: Any, wrong: dict[str, str]
) -> None:
    now = schedule["phases"][0]
    form = {"schedule": schedule["id"], f"{PHASE}[items][0][price]": price["id"], f"{PHASE}[end_date]": now["end_date"]}
    form |= {f"{PHASE}{name}": value for name, value in wrong.items()}
    assert ask("POST", "invoices/create_preview", form)[0] == 400


def test_a_change_is_previewed_as_of_a_date(ask: Asker, buyer: str, price: Any, control: Control) -> None:
    sub = ask.made("subscriptions", {"customer": buyer, "items[0][price]": price["id"]})
    control("/advance", {"seconds": 20 * DAY})
    details = "subscription_details"
    form = {"subscription": sub["id"], f"{details}[items][0][id]": sub["items"]["data"][0]["id"],
            f"{details}[items][0][quantity]": "3", f"{details}[proration_behavior]": "always_invoice",
            f"{details}[proration_date]": sub["created"] + DAY}  # fmt: skip
    early = previewed(ask, form)["total"]
    assert early > previewed(ask, {**form, f"{details}[proration_date]": sub["created"] + 19 * DAY})["total"]
    alone = {"customer": ask.made("customers")["id"], "invoice_items[0][amount]": "500"}
    assert previewed(ask, {**alone, "invoice_items[0][currency]": "eur"})["currency"] == "eur"


def test_a_phase_that_is_written_anew_ends_begins_and_counts_otherwise(ask: Asker, buyer: str, price: Any) -> None:
    begin = 2_000_000_000
    form = {"customer": buyer, "start_date": str(begin), "phases[0][items][0][price]": price["id"]}
    made = ask.made("subscription_schedules", form)["id"]
    anew = {"phases[0][items][0][price]": price["id"], "phases[0][start_date]": str(begin + DAY),
            "phases[0][end_date]": str(begin + 9 * DAY), "phases[0][currency]": "eur",
            "phases[0][billing_thresholds][amount_gte]": "5000",
            "phases[0][billing_thresholds][reset_billing_cycle_anchor]": "true"}  # fmt: skip
    phase = ask.made(f"subscription_schedules/{made}", anew)["phases"][0]
    assert (phase["start_date"], phase["end_date"], phase["currency"]) == (begin + DAY, begin + 9 * DAY, "eur")
    threshold = {"amount_gte": 5000, "reset_billing_cycle_anchor": True}
    assert phase["billing_thresholds"] == threshold
    terms = {name: value for name, value in anew.items() if "billing_thresholds" in name}
    another = ask.made("customers", {"payment_method": "pm_card_visa"})["id"]
    assert (
        ask.made("subscription_schedules", {**form, **terms, "customer": another})["phases"][0]["billing_thresholds"]
        == threshold
    )


def test_only_the_reset_of_a_threshold_may_be_said(ask: Asker, buyer: str, price: Any) -> None:
    form = {"customer": buyer, "start_date": "now", "phases[0][items][0][price]": price["id"],
            "phases[0][billing_thresholds][reset_billing_cycle_anchor]": "true"}  # fmt: skip
    phase = ask.made("subscription_schedules", form)["phases"][0]
    assert phase["billing_thresholds"] == {"amount_gte": None, "reset_billing_cycle_anchor": True}


def test_who_has_agreed_is_not_asked_again_off_session(ask: Asker, price: Any, control: Control) -> None:
    customer = ask.made("customers")["id"]
    form = {"customer": customer, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": "true"}
    intent = ask.made("setup_intents", {**form, "return_url": "http://x.co/"})["id"]
    card = control(f"/setup_intents/{intent}", {"outcome": "authenticated"})["setup_intent"]["payment_method"]
    bought = {"customer": customer, "default_payment_method": card, "items[0][price]": price["id"]}
    sub = ask.made("subscriptions", {**bought, "off_session": "true"})
    assert sub["status"] == "active"
    assert ask.made("subscriptions", bought)["status"] == "incomplete"
    more = {"items[0][id]": sub["items"]["data"][0]["id"], "items[0][quantity]": "5", "off_session": "true",
            "proration_behavior": "always_invoice", "expand[0]": "latest_invoice"}  # fmt: skip
    assert ask.made(f"subscriptions/{sub['id']}", more)["latest_invoice"]["status"] == "paid"


def test_values_that_stripe_has_no_longer_or_elsewhere_are_refused(ask: Asker, buyer: str, price: Any) -> None:
    classic = {"customer": buyer, "start_date": "now", "phases[0][items][0][price]": price["id"]}
    assert ask("POST", "subscription_schedules", {**classic, "billing_mode[type]": "classic"})[0] == 400
    quote = {"customer": buyer, "line_items[0][price]": price["id"], "subscription_data[billing_mode][type]": "classic"}
    assert ask("POST", "quotes", quote)[0] == 400
    account = {"bank_account[country]": "US", "bank_account[account_number]": "000123456789",
               "bank_account[routing_number]": "110000000", "bank_account[currency]": "eur"}  # fmt: skip
    assert ask("POST", "tokens", account)[0] == 400
    sent = {"customer": buyer, "collection_method": "send_invoice", "days_until_due": "9",
            "items[0][price]": price["id"], "items[1][price]": ask.made("prices", MONTHLY)["id"]}  # fmt: skip
    item = ask.made("subscriptions", sent)["items"]["data"][0]["id"]
    how = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    assert ask("DELETE", f"subscription_items/{item}", how)[0] == 400

"""Customers, payment methods, payments and setups keep what they are told, and act on it."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import stripe

from .conftest import Checked, Control

DAY = 86_400
NO_REDIRECTS: Any = {"enabled": True, "allow_redirects": "never"}


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


def test_a_customer_has_an_address_a_telephone_and_a_footer_which_their_invoices_show(v1: Any) -> None:
    address: Any = {
        "line1": "1 High St",
        "city": "York",
        "country": "GB",
        "postal_code": "YO1",
        "line2": None,
        "state": None,
    }
    given = {name: value for name, value in address.items() if value}
    person = v1.customers.create(
        {
            "name": "Ada",
            "phone": "+44123",
            "description": "First",
            "address": given,
            "invoice_settings": {"footer": "Thanks"},
        }
    )
    assert (person.phone, person.description, person.address.to_dict()) == ("+44123", "First", address)
    invoice = v1.invoices.create({"customer": person.id})
    shown = (invoice.customer_phone, invoice.customer_address.to_dict(), invoice.footer)
    assert shown == ("+44123", address, "Thanks")
    changed = v1.customers.update(
        person.id, {"phone": "+44999", "description": "", "address": "", "invoice_settings": {"footer": "Bye"}}
    )
    assert (changed.phone, changed.description, changed.address, changed.invoice_settings.footer) == (
        "+44999",
        None,
        None,
        "Bye",
    )


def test_a_card_is_entered_by_number_and_changed(v1: Any) -> None:
    numbers: Any = {"number": "4000000000000341", "exp_month": 8, "exp_year": 2033, "cvc": "314"}
    card = v1.payment_methods.create({"type": "card", "card": numbers, "billing_details": {"name": "Ada"}})
    assert (card.card.last4, card.card.exp_month, card.card.exp_year) == ("0341", 8, 2033)
    person = v1.customers.create({"payment_method": card.id})
    changed = v1.payment_methods.update(
        card.id, {"card": {"exp_year": 2040}, "billing_details": {"email": "ada@example.com"}}
    )
    assert (changed.card.exp_year, changed.billing_details.email, changed.billing_details.name) == (
        2040,
        "ada@example.com",
        "Ada",
    )
    assert changed.customer == person.id


def test_a_customer_ships_elsewhere_until_that_is_cleared(v1: Any) -> None:
    person = v1.customers.create({"name": "Ada"})
    place = {"name": "Ada", "address": {"line1": "2 Low St", "city": "Hull", "country": "GB", "postal_code": "HU1"}}
    moved = v1.customers.update(person.id, {"shipping": place}).shipping
    assert (moved.name, moved.address.city, moved.address.line1) == ("Ada", "Hull", "2 Low St")
    invoice = v1.invoices.create({"customer": person.id})
    assert invoice.customer_shipping.address.city == "Hull"
    assert v1.customers.update(person.id, {"shipping": ""}).shipping is None


def test_a_payment_says_what_it_is_for_and_saves_its_card(v1: Any) -> None:
    person = v1.customers.create({})
    intent = v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "customer": person.id,
            "description": "A hat",
            "setup_future_usage": "off_session",
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    assert (intent.description, intent.automatic_payment_methods.allow_redirects) == ("A hat", "never")
    v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert len(v1.customers.payment_methods.list(person.id).data) == 1
    charge = v1.charges.retrieve(v1.payment_intents.retrieve(intent.id).latest_charge)
    assert charge.description == "A hat"


def test_a_payment_is_canceled_for_a_reason(v1: Any) -> None:
    intent = v1.payment_intents.create({"amount": 900, "currency": "usd"})
    assert v1.payment_intents.cancel(intent.id, {"cancellation_reason": "duplicate"}).cancellation_reason == "duplicate"
    setup = v1.setup_intents.create({})
    gone = v1.setup_intents.cancel(setup.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")


def test_a_payment_off_session_is_refused_where_the_card_asks_for_its_owner(v1: Any) -> None:
    intent = v1.payment_intents.create({"amount": 900, "currency": "usd", "automatic_payment_methods": NO_REDIRECTS})
    with pytest.raises(stripe.CardError) as refused:
        v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_authenticationRequired", "off_session": True})
    assert refused.value.code == "authentication_required"


def bank_account(v1: Any) -> str:
    numbers = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}
    asked: Any = {"type": "us_bank_account", "billing_details": {"name": "Ada"}, "us_bank_account": numbers}
    return str(v1.payment_methods.create(asked).id)


@pytest.mark.parametrize("family", ["payment_intents", "setup_intents"])
@pytest.mark.parametrize("at", ["create", "confirm"])
@pytest.mark.parametrize(
    ("kind", "how"), [("online", {"ip_address": "127.0.0.1", "user_agent": "curl"}), ("offline", {})]
)
def test_a_mandate_says_when_and_how_it_was_accepted(v1: Any, family: str, at: str, kind: str, how: Any) -> None:
    person, bank, service = v1.customers.create({"name": "Ada"}), bank_account(v1), getattr(v1, family)
    mandate: Any = {"customer_acceptance": {"type": kind, "accepted_at": 1_700_000_000, kind: how}}
    of: Any = {"amount": 900, "currency": "usd"} if family == "payment_intents" else {}
    given: Any = {"customer": person.id, "payment_method_types": ["us_bank_account"], **of}
    if at == "create":
        made = service.create({**given, "payment_method": bank, "confirm": True, "mandate_data": mandate})
    else:
        made = service.confirm(service.create(given).id, {"payment_method": bank, "mandate_data": mandate})
    found = made.mandate if family == "setup_intents" else mandate_of(v1, made)
    accepted = v1.mandates.retrieve(found).customer_acceptance
    assert (accepted.type, accepted.accepted_at) == (kind, 1_700_000_000)
    assert (accepted.online if kind == "online" else accepted.offline).to_dict() == how


def mandate_of(v1: Any, intent: Any) -> str:
    return str(v1.charges.retrieve(intent.latest_charge).payment_method_details.us_bank_account.mandate)


def test_a_setup_says_what_it_is_for_and_leads_back(v1: Any) -> None:
    automatic: Any = {"enabled": True, "allow_redirects": "never"}
    person = v1.customers.create({})
    made = v1.setup_intents.create(
        {"customer": person.id, "description": "Keep it", "automatic_payment_methods": automatic}
    )
    assert (made.description, made.automatic_payment_methods.allow_redirects) == ("Keep it", "never")
    assert v1.setup_intents.update(made.id, {"description": "Keep on"}).description == "Keep on"
    back = "https://x.example/back"
    asked = v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_authenticationRequired", "return_url": back})
    assert (asked.status, asked.next_action.redirect_to_url.return_url) == ("requires_action", back)
    at_once = v1.setup_intents.create(
        {"payment_method": "pm_card_authenticationRequired", "confirm": True, "return_url": back}
    )
    assert at_once.next_action.redirect_to_url.return_url == back


def test_evidence_is_kept_until_it_is_submitted(v1: Any, control: Control) -> None:
    intent = v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    dispute = control("/disputes", {"charge": intent.latest_charge})["id"]
    kept = v1.disputes.update(dispute, {"evidence": {"product_description": "A hat"}, "submit": False})
    assert (kept.status, kept.evidence.product_description) == ("needs_response", "A hat")
    assert v1.disputes.update(dispute, {"evidence": {"customer_name": "Ada"}, "submit": True}).status == "under_review"


def posted(sandbox: Checked, path: str, form: str) -> tuple[int, Any]:
    """Post a form as it stands: the SDK drops objects that are empty."""
    asked = Request(f"{sandbox.url}/v1/{path}", form.encode(), {"Authorization": "Bearer sk_test_any"})
    try:
        with urlopen(asked) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


@pytest.mark.parametrize("kind", ["alipay", "giropay"])
def test_a_form_says_an_empty_object_by_nothing(sandbox: Checked, kind: str) -> None:
    status, made = posted(sandbox, "payment_methods", f"type={kind}&{kind}=")
    assert (status, made["type"], made[kind]) == (200, kind, {})


def test_an_object_that_has_fields_is_not_said_by_nothing(sandbox: Checked) -> None:
    status, refused = posted(sandbox, "payment_methods", "type=boleto&boleto=")
    assert (status, refused["error"]["param"]) == (400, "boleto")


@pytest.mark.parametrize("family", ["payment_intents", "setup_intents"])
@pytest.mark.parametrize("at", ["create", "confirm"])
def test_a_mandate_accepted_offline_says_so_in_a_form(sandbox: Checked, v1: Any, family: str, at: str) -> None:
    person, bank, accepted = v1.customers.create({}).id, bank_account(v1), "mandate_data[customer_acceptance]"
    paid = "amount=900&currency=usd&" if family == "payment_intents" else ""
    form = f"{paid}customer={person}&payment_method_types[]=us_bank_account&payment_method={bank}"
    offline = f"{accepted}[type]=offline&{accepted}[offline]="
    if at == "create":
        status, made = posted(sandbox, family, f"{form}&confirm=true&{offline}")
    else:
        waiting = posted(sandbox, family, form)[1]["id"]
        status, made = posted(sandbox, f"{family}/{waiting}/confirm", offline)
    assert (status, made.get("error")) == (200, None)
    (mandate,) = sandbox.state.table("mandate").rows.values()
    assert mandate["customer_acceptance"]["offline"] == {}

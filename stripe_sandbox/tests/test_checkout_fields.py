"""A Checkout asks its buyer for fields, consent, phone, names and addresses, and keeps the answers."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control
from .test_pages import Browser

SEATS: Any = {
    "key": "seats",
    "label": {"type": "custom", "custom": "Seats in the office"},
    "type": "numeric",
    "numeric": {"minimum_length": 1, "maximum_length": 3},
}
SIZE: Any = {
    "key": "size",
    "label": {"type": "custom", "custom": "Size of the shirt"},
    "type": "dropdown",
    "dropdown": {"options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]},
    "optional": True,
}
NOTE: Any = {
    "key": "note",
    "label": {"type": "custom", "custom": "A note"},
    "type": "text",
    "text": {"default_value": "none", "maximum_length": 20},
}
HOME: Any = {"country": "DE", "line1": "Hauptstraße 1", "postal_code": "10115", "city": "Berlin"}


def finish(control: Control, session: stripe.checkout.Session, **entries: Any) -> dict[str, Any]:
    answer = control(f"/checkout/{session.id}/complete", entries)
    return answer.get("error") or answer


def test_custom_fields_are_filled_in_and_shown_in_the_session_and_its_event(
    client: stripe.StripeClient, control: Control, checkout: Any
) -> None:
    session = checkout(custom_fields=[SEATS, SIZE, NOTE])
    assert [field.type for field in session.custom_fields] == ["numeric", "dropdown", "text"]
    assert session.custom_fields[0].numeric.value is None
    finish(control, session, custom_fields={"seats": "12", "size": "l"})
    (event,) = client.v1.events.list({"type": "checkout.session.completed"}).data
    numeric, dropdown, text = event.data.object["custom_fields"]
    assert (numeric["numeric"]["value"], dropdown["dropdown"]["value"]) == ("12", "l")
    assert (text["text"]["value"], dropdown["optional"], numeric["optional"]) == ("none", True, False)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({}, "Fill in “Seats in the office”"),
        ({"seats": "many"}, "takes digits only"),
        ({"seats": "1234"}, "between 1 and 3 characters"),
        ({"seats": "1", "size": "huge"}, "must be one of s, l"),
        ({"seats": "1", "note": "x" * 21}, "between 0 and 20 characters"),
        ({"seats": "1", "colour": "red"}, "has no custom field colour"),
    ],
)
def test_a_custom_field_that_is_filled_in_wrong_leaves_the_session_open(
    client: stripe.StripeClient, control: Control, checkout: Any, entries: dict[str, str], says: str
) -> None:
    session = checkout(custom_fields=[SEATS, SIZE, NOTE])
    assert says in finish(control, session, custom_fields=entries)["message"]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ([{**NOTE, "key": f"k{n}"} for n in range(4)], "up to 3 custom fields"),
        ([NOTE, NOTE], "a key of its own"),
        ([{**NOTE, "key": "a b"}], "alphanumeric"),
        ([{**NOTE, "label": {"type": "custom", "custom": "x" * 51}}], "at most 50"),
        ([{**NOTE, "numeric": {"minimum_length": 1}}], "only specify `numeric`"),
        ([{**SIZE, "dropdown": {"options": SIZE["dropdown"]["options"] * 101}}], "between 1 and 200 options"),
    ],
)
def test_custom_fields_have_limits(checkout: Any, fields: list[Any], says: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says):
        checkout(custom_fields=fields)


@pytest.mark.parametrize("name", ["phone", "terms_of_service", "save_payment_method", "individual_name", "email"])
def test_what_a_checkout_does_not_ask_for_is_not_taken(control: Control, checkout: Any, name: str) -> None:
    refused = finish(control, checkout(), **{name: "x@example.com"})
    assert (refused["param"], "does not ask for" in refused["message"]) == (name, True)


def test_the_terms_must_be_accepted_and_promotions_are_a_choice(
    client: stripe.StripeClient, control: Control, checkout: Any
) -> None:
    collection = {"terms_of_service": "required", "promotions": "auto"}
    session = checkout(consent_collection=collection)
    assert (session.consent, session.consent_collection.terms_of_service) == (None, "required")
    assert "Accept the terms" in finish(control, session)["message"]
    done = finish(control, session, terms_of_service=True, promotions=True)["session"]
    assert done["consent"] == {"promotions": "opt_in", "terms_of_service": "accepted"}
    other = finish(control, checkout(consent_collection={"promotions": "auto"}))["session"]
    assert other["consent"] == {"promotions": "opt_out", "terms_of_service": None}
    assert client.v1.checkout.sessions.retrieve(other["id"]).consent.promotions == "opt_out"


def test_a_phone_number_reaches_the_session_and_the_customer(
    client: stripe.StripeClient, control: Control, checkout: Any, customer: stripe.Customer
) -> None:
    session = checkout(phone_number_collection={"enabled": True})
    assert finish(control, session)["param"] == "phone"
    assert "Enter a phone number" in finish(control, session, phone="call me")["message"]
    done = finish(control, session, phone="+1 (555) 555-0100")["session"]
    assert done["customer_details"]["phone"] == "+15555550100"
    assert client.v1.customers.retrieve(customer.id).phone == "+15555550100"


def test_a_guest_is_known_by_what_they_typed(client: stripe.StripeClient, control: Control, price: Any) -> None:
    line: Any = {"price": price.id, "quantity": 1}
    names: Any = {"individual": {"enabled": True}, "business": {"enabled": True, "optional": True}}
    params: Any = {"mode": "subscription", "line_items": [line], "success_url": "https://example.com/"}
    session = client.v1.checkout.sessions.create({**params, "name_collection": names})
    assert session.name_collection.business.optional is True
    assert "individual name" in finish(control, session, email="eve@example.com")["message"]
    assert finish(control, session, email="nobody", individual_name="Eve")["code"] == "email_invalid"
    done = finish(control, session, email="eve@example.com", individual_name="Eve Adams")["session"]
    assert (done["customer_email"], done["customer_details"]["email"]) == (None, "eve@example.com")
    assert done["collected_information"]["individual_name"] == "Eve Adams"
    made = client.v1.customers.retrieve(done["customer"])
    assert (made.email, made.name, made.individual_name) == ("eve@example.com", "Eve Adams", "Eve Adams")
    (method,) = client.v1.customers.payment_methods.list(made.id).data
    assert (method.billing_details.email, method.billing_details.name) == ("eve@example.com", "Eve Adams")


def test_a_billing_address_is_written_to_a_customer_where_the_site_lets_it(
    client: stripe.StripeClient, control: Control, checkout: Any, customer: stripe.Customer
) -> None:
    asked: Any = {"billing_address_collection": "required"}
    assert finish(control, checkout(**asked))["param"] == "billing_address[country]"
    kept = finish(control, checkout(**asked), billing_address=HOME, name="Alice A.")["session"]
    assert kept["customer_details"]["address"]["city"] == "Berlin"
    known = client.v1.customers.retrieve(customer.id)
    assert (known.address, known.name) == (None, "Alice")
    update = {"address": "auto", "name": "auto"}
    finish(control, checkout(**asked, customer_update=update), billing_address=HOME, name="Alice A.")
    known = client.v1.customers.retrieve(customer.id)
    assert (known.address.country, known.name) == ("DE", "Alice A.")


def shipped(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    book: Any = {"currency": "usd", "unit_amount": 3500, "product_data": {"name": "Handbook"}}
    rate = client.v1.shipping_rates.create(
        {
            "display_name": "Ground",
            "type": "fixed_amount",
            "fixed_amount": {"amount": 500, "currency": "usd"},
            "delivery_estimate": {"maximum": {"unit": "business_day", "value": 5}},
            "metadata": {"by": "van"},
        }
    )
    fast: Any = {
        "display_name": "Over night",
        "type": "fixed_amount",
        "fixed_amount": {"amount": 2500, "currency": "usd"},
        "metadata": {"by": "air"},
        "delivery_estimate": {"minimum": {"unit": "day", "value": 1}},
    }
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://example.com/",
            "line_items": [{"price_data": book, "quantity": 1}],
            "shipping_address_collection": {"allowed_countries": ["DE", "AT"]},
            "shipping_options": [{"shipping_rate": rate.id}, {"shipping_rate_data": fast}],
            **more,
        }
    )


def test_shipping_is_chosen_paid_and_sent_to_the_address(
    client: stripe.StripeClient, control: Control, customer: stripe.Customer
) -> None:
    session = shipped(client, customer=customer.id, customer_update={"shipping": "auto"})
    assert (session.amount_subtotal, session.amount_total, session.total_details.amount_shipping) == (3500, 4000, 500)
    away = {"name": "Alice", "address": {**HOME, "country": "FR"}}
    assert "ships to DE, AT" in finish(control, session, shipping=away)["message"]
    assert finish(control, session, shipping={"name": "Alice", "address": {}})["param"] == "shipping[address][country]"
    fast = session.shipping_options[1].shipping_rate
    done = finish(control, session, shipping={"name": "Alice", "address": HOME}, shipping_rate=fast)["session"]
    assert (done["amount_total"], done["shipping_cost"]["shipping_rate"]) == (6000, fast)
    assert done["collected_information"]["shipping_details"]["address"]["city"] == "Berlin"
    intent = client.v1.payment_intents.retrieve(done["payment_intent"], {"expand": ["latest_charge"]})
    assert (intent.amount_received, intent.shipping.name) == (6000, "Alice")
    assert intent.latest_charge.shipping.address.line1 == "Hauptstraße 1"
    assert client.v1.customers.retrieve(customer.id).shipping.name == "Alice"
    known = client.v1.shipping_rates.retrieve(str(fast))
    assert (known.display_name, known.metadata["by"], known.delivery_estimate.minimum.value) == ("Over night", "air", 1)


def test_a_shipping_rate_is_changed_and_found(client: stripe.StripeClient) -> None:
    session = shipped(client)
    rate = session.shipping_options[0].shipping_rate
    assert client.v1.shipping_rates.update(rate, {"active": False, "metadata": {"by": "bike"}}).metadata["by"] == "bike"
    assert [row.id for row in client.v1.shipping_rates.list({"active": False, "currency": "usd"}).data] == [rate]
    assert client.v1.shipping_rates.list({"currency": "eur"}).data == []
    assert client.v1.shipping_rates.list({"created": {"gt": session.created + 60}}).data == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"shipping_options": [{"shipping_rate": "shr_a", "shipping_rate_data": {"display_name": "b"}}]}, "either"),
        ({"shipping_options": [{"shipping_rate": "shr_none"}]}, "No such shipping rate"),
        ({"line_items": [{"price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Book"}},
                          "quantity": 1}]}, "in the currency of the session"),
    ],
)  # fmt: skip
def test_shipping_that_does_not_fit_is_refused(client: stripe.StripeClient, more: dict[str, Any], says: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says):
        shipped(client, **more)


def test_the_page_shows_the_sites_texts_and_keeps_what_was_typed(sandbox: Checked, checkout: Any) -> None:
    texts = {
        "submit": {"message": "Renews each month."},
        "after_submit": {"message": "Questions? Call us."},
        "terms_of_service_acceptance": {"message": "I have read the rules."},
        "shipping_address": {"message": "No post boxes."},
    }
    session = checkout(
        custom_text=texts,
        custom_fields=[SEATS],
        consent_collection={"terms_of_service": "required"},
        shipping_address_collection={"allowed_countries": ["DE"]},
    )
    browser = Browser(sandbox.url)
    page = browser.ask("GET", session.url)[1]
    assert all(text["message"] in page for text in texts.values())
    assert "Seats in the office" in page
    typed = {"number": "4242424242424242", "custom_fields[seats]": "77", "shipping[name]": "Bob <b>"}
    status, page, _ = browser.ask("POST", session.url, **typed)
    assert (status, "Fill in shipping" in page, 'value="77"' in page) == (400, True, True)
    assert "Bob &lt;b&gt;" in page
    home = {f"shipping[address][{name}]": value for name, value in HOME.items()}
    assert browser.ask("POST", session.url, **typed, **home, terms_of_service="on")[0] == 303


def test_a_text_that_is_too_long_is_refused(checkout: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at most 1200"):
        checkout(custom_text={"submit": {"message": "x" * 1201}})

"""Tax at Checkout: the buyer's address, tax ids, what the customer keeps, and the sums of session and invoice."""

from typing import Any

import pytest
import stripe

from ..conftest import Control, ask
from ..test_pages import Browser
from .conftest import BERLIN, PARIS, Made, reasons, sums

AUTO: Any = {"automatic_tax": {"enabled": True}}
SAVES: Any = {"customer_update": {"address": "auto", "name": "auto"}}
COLLECTS: Any = {"tax_id_collection": {"enabled": True}}
VAT = {"type": "eu_vat", "value": "FRAB123456789"}


@pytest.fixture
def session(client: stripe.StripeClient, priced: Made) -> Made:
    """Return a function that opens a Checkout for a subscription with automatic tax."""

    def make(price: Any = None, **more: Any) -> stripe.checkout.Session:
        lines: Any = [{"price": (price or priced()).id, "quantity": 1}]
        wanted: Any = {"mode": "subscription", "success_url": "https://example.com/", "line_items": lines, **AUTO}
        return client.v1.checkout.sessions.create({**wanted, **more})

    return make


@pytest.fixture
def complete(client: stripe.StripeClient, control: Control) -> Made:
    """Return a function that completes a Checkout as a buyer."""

    def act(session: stripe.checkout.Session, **entered: Any) -> stripe.checkout.Session:
        if session.customer is None:
            entered.setdefault("email", "ada@example.com")
        if "address" in entered:
            entered["billing_address"] = {"line1": "Street 1", **entered.pop("address")}
        done = control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_visa", **entered})
        assert done.get("outcome") == "paid", done
        expand = ["line_items.data.taxes", "total_details.breakdown", "invoice", "subscription", "payment_intent"]
        return client.v1.checkout.sessions.retrieve(session.id, {"expand": expand})

    return act


def test_the_address_of_a_new_customer_decides_the_tax_and_is_kept(
    client: stripe.StripeClient, session: Made, complete: Made, control: Control
) -> None:
    opened = session()
    assert opened.automatic_tax.to_dict() == {
        "enabled": True,
        "liability": {"type": "self"},
        "provider": "stripe",
        "status": "requires_location_inputs",
    }
    assert (opened.amount_total, opened.total_details.amount_tax) == (1000, 0)
    done = complete(opened, address=BERLIN, name="Ada Lovelace")
    assert (done.amount_subtotal, done.amount_total, done.total_details.amount_tax) == (1000, 1190, 190)
    assert done.automatic_tax.status == "complete"
    assert (sums(done.invoice), done.invoice.amount_paid) == ((1000, 1190, 1000, [190]), 1190)
    assert done.subscription.automatic_tax.enabled is True
    customer = client.v1.customers.retrieve(str(done.customer))
    assert (customer.name, customer.address and customer.address.country) == ("Ada Lovelace", "DE")
    assert done.customer_details.address.postal_code == "10115"
    (line,) = done.line_items.data
    assert (line.amount_tax, line.amount_total) == (190, 1190)
    (tax,) = line.taxes
    assert (tax.amount, tax.rate.percentage, tax.taxability_reason, tax.taxable_amount) == (
        190,
        19,
        "standard_rated",
        1000,
    )
    assert [each.amount for each in done.total_details.breakdown.taxes] == [190]
    control("/advance", {"seconds": 32 * 86_400})
    assert client.v1.invoices.list({"customer": customer.id}).data[0].amount_paid == 1190


def test_inclusive_prices_and_discounts_are_taxed_at_checkout(
    client: stripe.StripeClient, session: Made, complete: Made, priced: Made
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    done = complete(session(priced(1190, "inclusive"), discounts=[{"coupon": coupon.id}]), address=BERLIN)
    assert (done.amount_subtotal, done.amount_total) == (1190, 595)
    assert (done.total_details.amount_discount, done.total_details.amount_tax) == (595, 95)
    assert sums(done.invoice) == (1190, 595, 500, [95])


def test_a_checkout_with_tax_is_not_completed_without_an_address(session: Made, control: Control) -> None:
    opened = session()
    refused = control(f"/checkout/{opened.id}/complete", {"payment_method": "pm_card_visa"})["error"]
    assert (refused["param"], refused["code"]) == ("billing_address[country]", "parameter_missing")
    vague = {"billing_address": {"country": "US", "line1": "Street 1"}}
    assert control(f"/checkout/{opened.id}/complete", vague)["error"]["code"] == "customer_tax_location_invalid"
    assert control(f"/checkout/{opened.id}/complete", {"billing_address": "X"})["error"]["param"] == "billing_address"


def test_an_existing_customer_needs_an_address_or_lets_it_be_saved(
    client: stripe.StripeClient, session: Made, complete: Made, person: Made
) -> None:
    nowhere, known = person(), person(PARIS)
    with pytest.raises(stripe.InvalidRequestError, match="requires a valid address on the Customer") as refused:
        session(customer=nowhere.id)
    assert (refused.value.code, refused.value.param) == ("customer_tax_location_invalid", None)
    kept = complete(session(customer=known.id), address=BERLIN)
    assert (kept.total_details.amount_tax, kept.automatic_tax.status) == (200, "complete")
    assert client.v1.customers.retrieve(known.id).address == known.address
    saved = session(customer=nowhere.id, customer_update={"address": "auto"})
    assert saved.automatic_tax.status == "requires_location_inputs"
    assert complete(saved, address=BERLIN, name="Other").total_details.amount_tax == 190
    after = client.v1.customers.retrieve(nowhere.id)
    assert (after.address and after.address.city, after.name) == ("Berlin", None)
    with pytest.raises(stripe.InvalidRequestError, match="can only be used with `customer`"):
        session(customer_update={"address": "auto"})


def test_tax_ids_are_collected_and_kept(
    client: stripe.StripeClient, session: Made, complete: Made, person: Made, control: Control
) -> None:
    who = person(PARIS)
    for update in ({}, {"customer_update": {"address": "auto"}}):
        with pytest.raises(stripe.InvalidRequestError, match="Tax ID collection requires updating business name"):
            session(customer=who.id, **COLLECTS, **update)
    opened = session(customer=who.id, **COLLECTS, **SAVES)
    assert opened.tax_id_collection.to_dict() == {"enabled": True, "required": "never"}
    refused = control(f"/checkout/{opened.id}/complete", {"tax_id": {"type": "eu_vat", "value": "nonsense"}})
    assert refused["error"]["code"] == "tax_id_invalid"
    done = complete(opened, address=PARIS, name="Ada SA", tax_id=VAT)
    assert [each.to_dict() for each in done.customer_details.tax_ids] == [VAT]
    assert client.v1.customers.retrieve(who.id).name == "Ada SA"
    (kept,) = client.v1.customers.tax_ids.list(who.id).data
    assert (kept.value, kept.verification and kept.verification.status) == (VAT["value"], "pending")
    assert [each.value for each in done.invoice.customer_tax_ids] == [VAT["value"]]
    assert done.total_details.amount_tax == 200
    control("/advance", {"seconds": 32 * 86_400})
    renewed = client.v1.invoices.list({"customer": who.id}).data[0]
    assert (sums(renewed)[3], reasons(renewed)) == ([0], ["reverse_charge"])


def test_a_tax_id_that_is_given_is_enough_where_the_table_says_so(
    session: Made, complete: Made, control: Control
) -> None:
    control("/tax", {"reverse_charge": "given"})
    done = complete(session(**COLLECTS), address=PARIS, name="Ada SA", tax_id=VAT)
    assert (done.total_details.amount_tax, done.amount_total, done.invoice.total) == (0, 1000, 1000)
    assert reasons(done.invoice) == ["reverse_charge"]


def test_a_required_tax_id_is_asked_for_where_there_are_any(session: Made, complete: Made, control: Control) -> None:
    required: Any = {"tax_id_collection": {"enabled": True, "required": "if_supported"}}
    opened = session(**required)
    refused = control(f"/checkout/{opened.id}/complete", {"billing_address": PARIS})["error"]
    assert refused["param"] == "tax_id"
    assert complete(opened, address=PARIS, tax_id=VAT).status == "complete"
    assert complete(session(**required), address={"country": "BR"}).status == "complete"
    plain = session()
    assert control(f"/checkout/{plain.id}/complete", {"tax_id": VAT})["error"]["param"] == "tax_id"


def test_a_one_off_payment_is_taxed_with_an_invoice_and_without(
    session: Made, complete: Made, priced: Made, client: stripe.StripeClient
) -> None:
    once = priced(1000, recurring=None)
    invoiced: Any = {"mode": "payment", "invoice_creation": {"enabled": True}}
    done = complete(session(once, **invoiced), address=BERLIN)
    assert (done.amount_total, done.payment_intent.amount_received) == (1190, 1190)
    assert (sums(done.invoice), done.invoice.amount_paid) == ((1000, 1190, 1000, [190]), 1190)
    guest = complete(session(once, mode="payment"), address=PARIS)
    assert (guest.customer, guest.amount_total, guest.payment_intent.amount) == (None, 1200, 1200)
    assert guest.customer_details.address.country == "FR"
    refund = client.v1.refunds.create({"payment_intent": guest.payment_intent.id})
    assert refund.amount == 1200


def test_an_address_after_a_declined_card_changes_what_is_paid(
    session: Made, complete: Made, priced: Made, control: Control
) -> None:
    opened = session(priced(1000, recurring=None), mode="payment")
    declined: Any = {"payment_method": "pm_card_chargeDeclined", "billing_address": BERLIN}
    assert control(f"/checkout/{opened.id}/complete", declined)["outcome"] == "declined"
    done = complete(opened, address=PARIS)
    assert (done.amount_total, done.payment_intent.amount, done.payment_intent.amount_received) == (1200, 1200, 1200)


def test_rates_by_hand_tax_the_lines_of_a_checkout(
    client: stripe.StripeClient, session: Made, complete: Made, priced: Made, by_hand: Made
) -> None:
    high, low, inside, off = by_hand(19), by_hand(7), by_hand(19, True), {"automatic_tax": {"enabled": False}}
    lines: Any = [
        {"price": priced().id, "quantity": 2, "tax_rates": [low.id]},
        {"price": priced(500, recurring=None).id, "quantity": 1},
    ]
    data: Any = {"subscription_data": {"default_tax_rates": [high.id]}}
    opened = session(line_items=lines, **data, **off)
    assert (opened.amount_subtotal, opened.amount_total, opened.total_details.amount_tax) == (2500, 2735, 235)
    done = complete(opened)
    assert (done.invoice.total, done.invoice.amount_paid) == (2735, 2735)
    assert [rate.id for rate in done.subscription.default_tax_rates] == [high.id]
    assert [rate.id for rate in done.subscription["items"].data[0].tax_rates] == [low.id]
    (line,) = [each for each in done.line_items.data if each.amount_subtotal == 2000]
    assert [(tax.amount, tax.rate.id, tax.taxability_reason) for tax in line.taxes] == [(140, low.id, None)]
    once: Any = [{"price": priced(1190, recurring=None).id, "quantity": 1, "tax_rates": [inside.id]}]
    paid = complete(session(line_items=once, mode="payment", invoice_creation={"enabled": True}, **off))
    assert (paid.amount_total, paid.total_details.amount_tax, sums(paid.invoice)) == (
        1190,
        190,
        (1190, 1190, 1000, [190]),
    )
    with pytest.raises(stripe.InvalidRequestError, match="Automatic tax cannot be combined"):
        session(line_items=lines)


def test_a_card_that_is_only_saved_is_not_taxed(client: stripe.StripeClient) -> None:
    wanted: Any = {"mode": "setup", "currency": "eur", "success_url": "https://example.com/"}
    for name, on in (("automatic_tax", AUTO), ("tax_id_collection", COLLECTS)):
        with pytest.raises(stripe.InvalidRequestError, match="in `setup` mode") as refused:
            client.v1.checkout.sessions.create({**wanted, **on})
        assert refused.value.param == name


def test_a_trial_is_not_taxed_and_its_end_is(
    client: stripe.StripeClient, session: Made, complete: Made, control: Control
) -> None:
    done = complete(session(subscription_data={"trial_period_days": 7}), address=BERLIN)
    assert (done.amount_total, done.total_details.amount_tax) == (0, 0)
    control("/advance", {"seconds": 8 * 86_400})
    assert client.v1.invoices.list({"customer": str(done.customer)}).data[0].amount_paid == 1190


def test_an_inline_product_has_a_tax_code(session: Made, complete: Made) -> None:
    data: Any = {
        "currency": "eur",
        "unit_amount": 1000,
        "tax_behavior": "exclusive",
        "recurring": {"interval": "month"},
        "product_data": {"name": "Book", "tax_code": "txcd_10302000"},
    }
    done = complete(session(line_items=[{"price_data": data, "quantity": 1}]), address=BERLIN)
    assert done.total_details.amount_tax == 70


# The page


@pytest.fixture
def browser(sandbox: Any) -> Browser:
    return Browser(sandbox.url)


def typed(address: dict[str, str], **more: str) -> dict[str, str]:
    return {**{f"billing_address[{name}]": text for name, text in address.items()}, **more}


def test_the_page_asks_for_the_address_and_shows_the_tax_before_it_is_paid(
    browser: Browser, session: Made, client: stripe.StripeClient
) -> None:
    opened = session()
    assert 'name="billing_address[postal_code]"' in browser.ask("GET", opened.url)[1]
    vague = typed({"country": "US", "line1": "5th Av. 1"}, change="")
    status, said, _ = browser.ask("POST", opened.url, **vague)
    assert (status, "location isn&#39;t recognized" in said) == (400, True)
    _, shown, _ = browser.ask("POST", opened.url, **typed(BERLIN, change=""))
    assert all(words in shown for words in ("VAT (19%)", "€1.90", "€11.90", 'value="10115"'))
    card = {"number": "4242424242424242", "email": "ada@example.com", "name": "Ada"}
    status, said, _ = browser.ask("POST", opened.url, **typed(PARIS, **card))
    assert (status, "The total is €12.00 now" in said) == (200, True)
    assert browser.ask("POST", opened.url, **typed(PARIS, **card))[0] == 303
    assert client.v1.checkout.sessions.retrieve(opened.id).amount_total == 1200


def test_the_page_takes_a_tax_id_and_says_that_the_charge_is_reversed(
    browser: Browser, session: Made, control: Control, client: stripe.StripeClient
) -> None:
    control("/tax", {"reverse_charge": "given"})
    opened = session(**COLLECTS)
    kind = {"tax_id[type]": "eu_vat"}
    assert browser.ask("POST", opened.url, **typed(PARIS, change="", **kind, **{"tax_id[value]": "FR-"}))[0] == 400
    vat = {**kind, "tax_id[value]": VAT["value"]}
    assert "VAT (reverse charge)" in browser.ask("POST", opened.url, **typed(PARIS, change="", **vat))[1]
    card = {"number": "4242424242424242", "email": "ada@example.com", "name": "Ada SA"}
    assert browser.ask("POST", opened.url, **typed(PARIS, **card, **vat))[0] == 303
    done = client.v1.checkout.sessions.retrieve(opened.id, {"expand": ["invoice"]})
    assert isinstance(done.invoice, stripe.Invoice)
    hosted = browser.ask("GET", str(done.invoice.hosted_invoice_url))[1]
    assert "VAT (reverse charge)" in hosted
    assert "VAT" in browser.ask("GET", str(done.invoice.invoice_pdf))[1]


def test_the_button_of_the_overview_pays_with_an_address(
    browser: Browser, session: Made, sandbox: Any, client: stripe.StripeClient
) -> None:
    opened = session()
    status, answer = ask(f"{sandbox.url}/_sandbox/checkout/{opened.id}/complete", {})
    assert (status, answer["error"]["param"]) == (400, "billing_address[country]")
    assert browser.ask("POST", f"{sandbox.url}/act/checkout-pay/{opened.id}")[0] == 303
    assert client.v1.checkout.sessions.retrieve(opened.id).amount_total == 1190


def test_the_portal_keeps_the_address_and_takes_a_tax_id(
    browser: Browser, client: stripe.StripeClient, person: Made
) -> None:
    allowed: Any = {"enabled": True, "allowed_updates": ["address", "tax_id"]}
    configured = client.v1.billing_portal.configurations.create({"features": {"customer_update": allowed}})
    who = person(BERLIN)
    wanted: Any = {"customer": who.id, "configuration": configured.id}
    url = client.v1.billing_portal.sessions.create(wanted).url
    assert 'value="10115"' in browser.ask("GET", url)[1]
    moved = {"line1": "Rue 1", "city": "Paris", "postal_code": "75001", "country": "FR"}
    wrong = browser.ask("POST", url, action="details", **moved, tax_id_type="eu_vat", tax_id="none")
    assert "Invalid value for eu_vat" in wrong[1]
    assert client.v1.customers.retrieve(who.id).address == who.address
    browser.ask("POST", url, action="details", **moved, tax_id_type="eu_vat", tax_id=VAT["value"], name="Eve")
    after = client.v1.customers.retrieve(who.id, {"expand": ["tax", "tax_ids"]})
    assert (after.tax and after.tax.location and after.tax.location.country, after.name) == ("FR", None)
    assert [row.value for row in (after.tax_ids.data if after.tax_ids else [])] == [VAT["value"]]

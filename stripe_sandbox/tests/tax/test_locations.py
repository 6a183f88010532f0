"""A customer is somewhere, which is known in several ways, or nowhere, which has consequences."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox
from stripe_sandbox.books.tax import table
from stripe_sandbox.command import add_arguments

from ..conftest import Checked, Control, ask
from .conftest import BERLIN, NEW_YORK, PARIS, TABLE, Made, sums

CODE = "customer_tax_location_invalid"


def tax_of(client: stripe.StripeClient, customer: stripe.Customer) -> Any:
    return client.v1.customers.retrieve(customer.id, {"expand": ["tax"]}).tax


@pytest.mark.parametrize(
    ("given", "source", "country", "status"),
    [
        ({"address": BERLIN}, "billing_address", "DE", "supported"),
        ({"address": {"country": "BR"}}, "billing_address", "BR", "not_collecting"),
        (
            {"address": BERLIN, "shipping": {"name": "A", "address": NEW_YORK}},
            "shipping_destination",
            "US",
            "supported",
        ),
        ({"tax": {"ip_address": "203.0.113.7"}}, "ip_address", "FR", "supported"),
        ({"address": {"country": "CA", "postal_code": "V5K 0A1"}}, "billing_address", "CA", "not_collecting"),
    ],
)
def test_a_location_is_the_first_that_is_known(
    client: stripe.StripeClient, given: Any, source: str, country: str, status: str
) -> None:
    tax = tax_of(client, client.v1.customers.create(given))
    assert (tax.location.source, tax.location.country, tax.automatic_tax) == (source, country, status)
    assert (tax.provider, tax.ip_address) == ("stripe", (given.get("tax") or {}).get("ip_address"))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"address": {"country": "US", "state": "NY"}},
        {"address": {"country": "US", "postal_code": "1000"}},
        {"address": {"country": "CA"}},
        {"address": {"city": "Berlin"}},
        {"shipping": {"name": "A", "address": {"country": "US"}}, "address": BERLIN},
        {"tax": {"ip_address": "8.8.8.8"}},
    ],
)
def test_an_address_that_says_too_little_is_no_location(client: stripe.StripeClient, given: Any) -> None:
    tax = tax_of(client, client.v1.customers.create(given))
    assert (tax.location, tax.automatic_tax) == (None, "unrecognized_location")
    at_once: Any = {**given, "tax": {**given.get("tax", {}), "validate_location": "immediately"}}
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized") as refused:
        client.v1.customers.create(at_once)
    assert refused.value.code == CODE
    assert len(client.v1.customers.list().data) == 1


def test_a_location_is_validated_as_an_update_asks(client: stripe.StripeClient, subscribe: Made, person: Made) -> None:
    nowhere: Any = {"address": {"country": "US"}}
    loose = person(BERLIN)
    client.v1.customers.update(loose.id, nowhere)
    assert tax_of(client, loose).automatic_tax == "unrecognized_location"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(loose.id, {**nowhere, "tax": {"validate_location": "immediately"}})
    taxed = subscribe().customer
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized"):
        client.v1.customers.update(taxed, nowhere)
    client.v1.customers.update(taxed, {**nowhere, "tax": {"validate_location": "deferred"}})
    located = client.v1.customers.update(taxed, {"address": "", "tax": {"ip_address": "192.0.2.4"}})
    assert tax_of(client, located).location.country == "DE"
    assert tax_of(client, client.v1.customers.update(taxed, {"tax": {"ip_address": ""}})).location is None


def test_the_address_of_the_default_card_is_a_location(client: stripe.StripeClient, person: Made) -> None:
    who = person()
    card = str(who.invoice_settings.default_payment_method) if who.invoice_settings else ""
    client.v1.payment_methods.update(card, {"billing_details": {"address": PARIS}})
    tax = tax_of(client, who)
    assert (tax.location.source, tax.location.country) == ("payment_method", "FR")


def test_automatic_tax_is_refused_for_a_customer_that_is_nowhere(
    client: stripe.StripeClient, subscribe: Made, sandbox: Checked
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized") as refused:
        subscribe(None)
    assert (refused.value.code, refused.value.http_status) == (CODE, 400)
    assert sandbox.state.table("subscription").rows == {}
    sub = subscribe(None, automatic_tax={"enabled": False})
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized"):
        client.v1.subscriptions.update(sub.id, {"automatic_tax": {"enabled": True}})
    assert client.v1.subscriptions.retrieve(sub.id).automatic_tax.enabled is False


def test_a_renewal_without_a_location_goes_on_without_tax(
    client: stripe.StripeClient, control: Control, subscribe: Made, sandbox: Checked
) -> None:
    sub = subscribe()
    client.v1.customers.update(sub.customer, {"address": ""})
    control("/advance", {"seconds": 32 * 86_400})
    renewed = client.v1.invoices.list({"subscription": sub.id}).data[0]
    assert (sums(renewed), renewed.status) == ((1000, 1000, 1000, []), "paid")
    assert renewed.automatic_tax.to_dict() == {
        "disabled_reason": "finalization_requires_location_inputs",
        "enabled": False,
        "liability": {"type": "self"},
        "provider": "stripe",
        "status": "requires_location_inputs",
    }
    after = client.v1.subscriptions.retrieve(sub.id).automatic_tax
    assert (after.enabled, after.disabled_reason) == (False, "requires_location_inputs")
    assert "invoice.finalization_failed" not in [event["type"] for event in sandbox.events()]
    client.v1.customers.update(sub.customer, {"address": BERLIN})
    again = client.v1.subscriptions.update(sub.id, {"automatic_tax": {"enabled": True}}).automatic_tax
    assert (again.enabled, again.disabled_reason) == (True, None)


def test_an_account_may_be_set_so_that_such_a_renewal_is_not_finalized(
    client: stripe.StripeClient, control: Control, subscribe: Made, sandbox: Checked, priced: Made
) -> None:
    control("/tax", {"without_location": "fail"})
    sub = subscribe()
    client.v1.customers.update(sub.customer, {"address": ""})
    control("/advance", {"seconds": 32 * 86_400})
    draft = client.v1.invoices.list({"subscription": sub.id}).data[0]
    assert (draft.status, draft.amount_paid, draft.attempted) == ("draft", 0, False)
    assert draft.automatic_tax.status == "requires_location_inputs"
    assert draft.last_finalization_error
    assert draft.last_finalization_error.code == CODE
    (failed,) = [event for event in sandbox.events() if event["type"] == "invoice.finalization_failed"]
    assert failed["data"]["object"]["id"] == draft.id
    items: Any = [{"id": sub["items"].data[0].id, "price": priced(5000).id}]
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized"):
        client.v1.subscriptions.update(sub.id, {"items": items, "proration_behavior": "always_invoice"})
    client.v1.customers.update(sub.customer, {"address": PARIS})
    final = client.v1.invoices.finalize_invoice(draft.id)
    assert (sums(final)[1], final.status, final.last_finalization_error) == (1200, "open", None)


@pytest.mark.parametrize("verb", ["finalize_invoice", "pay", "send_invoice"])
def test_an_invoice_by_hand_without_a_location_stays_a_draft(
    client: stripe.StripeClient, person: Made, sandbox: Checked, verb: str
) -> None:
    who, by_mail = person(), verb == "send_invoice"
    how: Any = {"collection_method": "send_invoice", "days_until_due": 3} if by_mail else {}
    taxed: Any = {"customer": who.id, "currency": "eur", "automatic_tax": {"enabled": True}, **how}
    draft = client.v1.invoices.create(taxed)
    client.v1.invoice_items.create({"customer": who.id, "invoice": draft.id, "currency": "eur", "amount": 1000})
    assert client.v1.invoices.retrieve(draft.id).automatic_tax.status == "requires_location_inputs"
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized") as refused:
        getattr(client.v1.invoices, verb)(draft.id)
    assert refused.value.code == CODE
    after = client.v1.invoices.retrieve(draft.id)
    assert (after.status, after.number) == ("draft", None)
    assert [event["type"] for event in sandbox.events()].count("invoice.finalization_failed") == 1
    client.v1.customers.update(who.id, {"address": BERLIN})
    assert getattr(client.v1.invoices, verb)(draft.id).total == 1190


def test_an_invoice_by_hand_that_advances_by_itself_fails_once_and_waits(
    client: stripe.StripeClient, person: Made, sandbox: Checked, control: Control
) -> None:
    who = person()
    taxed: Any = {"customer": who.id, "currency": "eur", "automatic_tax": {"enabled": True}, "auto_advance": True}
    draft = client.v1.invoices.create(taxed)
    client.v1.invoice_items.create({"customer": who.id, "invoice": draft.id, "currency": "eur", "amount": 1000})
    control("/advance", {"seconds": 86_400})
    assert client.v1.invoices.retrieve(draft.id).status == "draft"
    assert [event["type"] for event in sandbox.events()].count("invoice.finalization_failed") == 1


# The table


def test_the_table_is_set_by_the_entry_and_shown(control: Control) -> None:
    assert control("/tax", method="GET")["rates"] == TABLE["rates"]
    set_so = control("/tax", {"rates": [{"country": "FR", "percentage": 5.5, "display_name": "TVA"}]})
    assert (set_so["rates"][0]["percentage"], set_so["country"]) == (5.5, "DE")
    assert control("/tax", {}) == set_so


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"rate": []}, "rate"),
        ({"rates": {}}, "rates"),
        ({"rates": [{"country": "Germany", "percentage": 19}]}, "rates[0][country]"),
        ({"rates": [{"country": "DE"}]}, "rates[0][percentage]"),
        ({"rates": [{"country": "DE", "percentage": 119}]}, "rates[0][percentage]"),
        ({"rates": [{"country": "DE", "percentage": 19, "vat": True}]}, "rates[0]"),
        ({"country": "de"}, "country"),
        ({"rounding": "up"}, "rounding"),
        ({"tax_behavior": "unspecified"}, "tax_behavior"),
        ({"ip_addresses": {"10.": {"city": "Berlin"}}}, "ip_addresses[10.]"),
    ],
)
def test_a_table_that_means_nothing_is_refused(sandbox: Checked, control: Control, given: Any, param: str) -> None:
    before = control("/tax", method="GET")
    status, answer = ask(f"{sandbox.url}/_sandbox/tax", given)
    assert (status, answer["error"]["param"]) == (400, param)
    assert control("/tax", method="GET") == before


def test_the_entries_name_the_tax_and_lie_about_nothing(
    client: stripe.StripeClient, control: Control, subscribe: Made
) -> None:
    control("/tax", {"rates": [{"country": "FR", "percentage": 5.5, "display_name": "TVA", "tax_type": "vat"}]})
    (tax,) = subscribe(PARIS).latest_invoice.total_taxes
    rate = client.v1.tax_rates.retrieve(tax.tax_rate_details.tax_rate)
    assert (tax.amount, rate.display_name, rate.percentage, rate.jurisdiction) == (55, "TVA", 5.5, "FR")


def test_a_table_outlasts_a_reset_and_a_saved_state(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox(port=0, state_file=file, tax={"country": "FR"}) as sandbox:
        sandbox.reset("1", None)
        assert sandbox.state.settings["tax"]["country"] == "FR"
    assert json.loads(file.read_text())["settings"]["tax"]["country"] == "FR"
    with Sandbox(port=0, state_file=file) as sandbox:
        assert sandbox.state.settings["tax"]["country"] == "FR"


def test_the_command_takes_a_table_from_a_file_and_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    good, bad, none = (tmp_path / name for name in ("good.json", "bad.json", "none.json"))
    good.write_text('{"country": "FR", "rates": [{"country": "FR", "percentage": 20}]}')
    bad.write_text('{"rates": [{"country": "FR"}]}')
    assert parser.parse_args(["--tax", str(good)]).tax["country"] == "FR"
    for file, words in ((bad, "must be a number from 0 to 100"), (none, "cannot be read")):
        with pytest.raises(ValueError, match=words):
            table.read(file)
        with pytest.raises(SystemExit):
            parser.parse_args(["--tax", str(file)])

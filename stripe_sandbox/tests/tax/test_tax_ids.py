"""Tax ids: made, verified later, deleted, and what a verified one changes."""

from typing import Any

import pytest
import stripe

from ..conftest import Checked, Control
from ..test_pages import Browser
from .conftest import BERLIN, NEW_YORK, PARIS, Made, reasons, sums

FRENCH = "FRAB123456789"


def status_of(client: stripe.StripeClient, customer: str, tax_id: str) -> str | None:
    shown = client.v1.customers.tax_ids.retrieve(customer, tax_id).verification
    return shown.status if shown else None


def types(sandbox: Checked) -> list[str]:
    return [event["type"] for event in sandbox.events() if "tax_id" in event["type"]]


def test_a_tax_id_is_pending_and_verified_a_little_later(
    client: stripe.StripeClient, person: Made, control: Control, sandbox: Checked
) -> None:
    who = person()
    made = client.v1.customers.tax_ids.create(who.id, {"type": "eu_vat", "value": FRENCH})
    assert (made.country, made.customer, made.owner and made.owner.type) == ("FR", who.id, "customer")
    assert status_of(client, who.id, made.id) == "pending"
    control("/advance", {"seconds": 61})
    assert status_of(client, who.id, made.id) == "verified"
    assert types(sandbox) == ["customer.tax_id.created", "customer.tax_id.updated"]
    previous = sandbox.events()[-1]["data"]["previous_attributes"]
    assert previous == {"verification": {"status": "pending"}}


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [
        ("eu_vat", "DE000000000", "verified"),
        ("eu_vat", "111111111", "unverified"),
        ("eu_vat", "DE222222222", "pending"),
        ("gb_vat", "GB123456789", "verified"),
        ("us_ein", "12-3456789", "unavailable"),
        ("ch_vat", "CHE-123.456.789 MWST", "unavailable"),
    ],
)
def test_test_values_and_kinds_come_out_as_stripe_says(
    client: stripe.StripeClient, person: Made, control: Control, kind: Any, value: str, status: str
) -> None:
    who = person()
    made = client.v1.customers.tax_ids.create(who.id, {"type": kind, "value": value})
    control("/advance", {"seconds": 10 * 86_400})
    assert status_of(client, who.id, made.id) == status


def test_the_registry_answers_by_the_control_plane_and_after_a_time_of_ones_own(
    client: stripe.StripeClient, person: Made, control: Control, sandbox: Checked
) -> None:
    control("/settings", {"tax_id_seconds": 86_400})
    who = person()
    made = client.v1.customers.tax_ids.create(who.id, {"type": "eu_vat", "value": FRENCH})
    control("/advance", {"seconds": 3_600})
    assert status_of(client, who.id, made.id) == "pending"
    answered = control(f"/tax_ids/{made.id}", {"status": "unverified"})
    assert answered["verification"]["status"] == "unverified"
    control("/advance", {"seconds": 86_400})
    assert status_of(client, who.id, made.id) == "unverified"
    found = control(f"/tax_ids/{made.id}", {"status": "verified", "name": "ADA SA", "address": "PARIS"})
    assert found["verification"] == {"status": "verified", "verified_address": "PARIS", "verified_name": "ADA SA"}
    assert types(sandbox) == ["customer.tax_id.created", *["customer.tax_id.updated"] * 2]
    assert control(f"/tax_ids/{made.id}", {"status": "fine"})["error"]["param"] == "status"
    assert control("/tax_ids/txi_nowhere", {"status": "verified"})["error"]["code"] == "resource_missing"


@pytest.mark.parametrize(
    ("kind", "value"), [("eu_vat", "123"), ("eu_vat", "US123456789"), ("gb_vat", "GB1"), ("au_abn", "1")]
)
def test_a_value_that_no_tax_id_has_is_refused(
    client: stripe.StripeClient, person: Made, kind: Any, value: str
) -> None:
    who = person()
    with pytest.raises(stripe.InvalidRequestError, match=f"Invalid value for {kind}") as refused:
        client.v1.customers.tax_ids.create(who.id, {"type": kind, "value": value})
    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "value")
    data: Any = [{"type": kind, "value": value}]
    with pytest.raises(stripe.InvalidRequestError, match=f"Invalid value for {kind}"):
        client.v1.customers.create({"tax_id_data": data})
    assert len(client.v1.customers.list().data) == 1


def test_tax_ids_are_listed_with_their_customer_and_go_with_it(
    client: stripe.StripeClient, control: Control, sandbox: Checked
) -> None:
    data: Any = [{"type": "eu_vat", "value": FRENCH}, {"type": "us_ein", "value": "12-3456789"}]
    who = client.v1.customers.create({"tax_id_data": data, "expand": ["tax_ids"]})
    assert who.tax_ids
    assert [row.type for row in who.tax_ids.data] == ["us_ein", "eu_vat"]
    of_customer: Any = {"owner": {"type": "customer", "customer": who.id}}
    ids = [row.id for row in client.v1.tax_ids.list(of_customer).data]
    assert ids == [row.id for row in client.v1.customers.tax_ids.list(who.id, {"limit": 5}).data]
    gone = client.v1.customers.tax_ids.delete(who.id, ids[0])
    assert (gone.deleted, types(sandbox)[-1]) == (True, "customer.tax_id.deleted")
    assert len(client.v1.customers.tax_ids.list(who.id).data) == 1
    client.v1.customers.delete(who.id)
    control("/advance", {"seconds": 61})
    with pytest.raises(stripe.InvalidRequestError, match="No such tax id"):
        client.v1.tax_ids.retrieve(ids[1])


def test_a_customer_has_five_at_most_and_only_its_own(client: stripe.StripeClient, person: Made) -> None:
    who, other = person(), person()
    for number in range(5):
        last = client.v1.customers.tax_ids.create(who.id, {"type": "us_ein", "value": f"12-345678{number}"})
    with pytest.raises(stripe.InvalidRequestError, match="at most 5"):
        client.v1.customers.tax_ids.create(who.id, {"type": "us_ein", "value": "12-3456789"})
    with pytest.raises(stripe.InvalidRequestError, match="No such tax id"):
        client.v1.customers.tax_ids.delete(other.id, last.id)


def test_the_account_has_tax_ids_of_its_own_that_invoices_show(
    client: stripe.StripeClient, person: Made, control: Control
) -> None:
    own = client.v1.tax_ids.create({"type": "eu_vat", "value": "DE123456789"})
    assert (own.customer, own.owner and own.owner.type, own.verification) == (None, "self", None)
    assert control(f"/tax_ids/{own.id}", {"status": "verified"})["error"]["param"] == "status"
    who = person()
    of_customer: Any = {"type": "customer", "customer": who.id}
    theirs = client.v1.tax_ids.create({"type": "eu_vat", "value": FRENCH, "owner": of_customer})
    assert [row.id for row in client.v1.tax_ids.list({"owner": {"type": "self"}}).data] == [own.id]
    assert [row.id for row in client.v1.tax_ids.list().data] == [own.id]
    draft = client.v1.invoices.create({"customer": who.id, "account_tax_ids": [own.id]})
    assert draft.account_tax_ids == [own.id]
    assert [row.value for row in draft.customer_tax_ids or []] == [FRENCH]
    with pytest.raises(stripe.InvalidRequestError, match="is a customer's"):
        client.v1.invoices.update(draft.id, {"account_tax_ids": [theirs.id]})
    assert client.v1.invoices.update(draft.id, {"account_tax_ids": ""}).account_tax_ids is None
    assert client.v1.tax_ids.delete(own.id).deleted is True
    wrong: Any = ({"type": "self", "customer": who.id}, {"type": "customer"})
    for owner in wrong:
        with pytest.raises(stripe.InvalidRequestError, match=r"owner\[customer\]"):
            client.v1.tax_ids.create({"type": "eu_vat", "value": FRENCH, "owner": owner})


def test_the_buttons_of_the_overview_answer_for_the_registry(
    client: stripe.StripeClient, person: Made, sandbox: Checked
) -> None:
    browser, who = Browser(sandbox.url), person()
    first, second = (
        client.v1.customers.tax_ids.create(who.id, {"type": "eu_vat", "value": value})
        for value in (FRENCH, "DE123456789")
    )
    assert FRENCH in browser.ask("GET", sandbox.url)[1]
    browser.ask("POST", f"{sandbox.url}/act/tax-id-verify/{first.id}")
    browser.ask("POST", f"{sandbox.url}/act/tax-id-refuse/{second.id}")
    assert (status_of(client, who.id, first.id), status_of(client, who.id, second.id)) == ("verified", "unverified")
    assert "Tax IDs to verify" not in browser.ask("GET", sandbox.url)[1]


# Reverse charge


def verified(client: stripe.StripeClient, control: Control, customer: Any, value: str) -> None:
    client.v1.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": value})
    control("/advance", {"seconds": 61})


def test_a_business_in_another_eu_country_is_charged_in_reverse_once_its_id_is_verified(
    client: stripe.StripeClient, person: Made, subscribe: Made, control: Control
) -> None:
    who = person(PARIS)
    client.v1.customers.tax_ids.create(who.id, {"type": "eu_vat", "value": FRENCH})
    before = subscribe(customer=who).latest_invoice
    assert (sums(before)[3], reasons(before)) == ([200], ["standard_rated"])
    control("/advance", {"seconds": 61})
    after = subscribe(customer=who).latest_invoice
    assert (sums(after), reasons(after)) == ((1000, 1000, 1000, [0]), ["reverse_charge"])
    assert (after.customer_tax_exempt, after.automatic_tax.status) == ("none", "complete")
    assert [(row.type, row.value) for row in after.customer_tax_ids] == [("eu_vat", FRENCH)]


@pytest.mark.parametrize(
    ("address", "value"),
    [
        (BERLIN, "DE123456789"),  # our own country
        (PARIS, "DE123456789"),  # an id of another country than the customer's
        (PARIS, "FR111111111"),  # an id that is not verified
        (PARIS, "FR222222222"),  # an id that waits
        (NEW_YORK, "000000000"),  # a place where there is no reverse charge
    ],
)
def test_nobody_else_is_charged_in_reverse(
    client: stripe.StripeClient, person: Made, subscribe: Made, control: Control, address: Any, value: str
) -> None:
    who = person(address)
    verified(client, control, who, value)
    assert reasons(subscribe(customer=who).latest_invoice) == ["standard_rated"]


def test_where_the_business_is_decides_what_another_country_is(
    client: stripe.StripeClient, person: Made, subscribe: Made, control: Control
) -> None:
    control("/tax", {"country": "US"})
    who = person(BERLIN)
    verified(client, control, who, "DE123456789")
    assert reasons(subscribe(customer=who).latest_invoice) == ["reverse_charge"]

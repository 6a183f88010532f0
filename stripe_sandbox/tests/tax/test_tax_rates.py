"""Tax rates by hand: made, changed, and on subscriptions, items, invoices and their lines."""

from typing import Any

import pytest
import stripe

from ..conftest import Checked, Control
from .conftest import BERLIN, Made, reasons, sums


def test_a_tax_rate_is_made_and_changed_but_not_its_percentage(
    client: stripe.StripeClient, by_hand: Made, sandbox: Checked
) -> None:
    about: Any = {"country": "US", "state": "CA", "jurisdiction": "CA", "description": "State", "tax_type": "sales_tax"}
    rate = by_hand(8.125, True, **about, metadata={"a": "b"}, active=True)
    shown = client.v1.tax_rates.retrieve(rate.id)
    assert (shown.percentage, shown.inclusive, shown.state, shown.tax_type) == (8.125, True, "CA", "sales_tax")
    other: Any = {"display_name": "GST", "description": "", "country": "CA", "state": "BC", "jurisdiction": "BC"}
    changed = client.v1.tax_rates.update(
        rate.id, {**other, "active": False, "metadata": {"a": "", "c": "d"}, "tax_type": "gst"}
    )
    assert (changed.display_name, changed.description, changed.active) == ("GST", None, False)
    assert changed.to_dict()["metadata"] == {"c": "d"}
    assert client.v1.tax_rates.list({"active": True}).data == []
    assert [row.id for row in client.v1.tax_rates.list({"inclusive": True, "created": {"gt": 0}}).data] == [rate.id]
    assert [event["type"] for event in sandbox.events()] == ["tax_rate.created", "tax_rate.updated"]


@pytest.mark.parametrize(("percentage", "message"), [(101, "between 0 and 100"), (8.12345, "at most 4 decimal")])
def test_a_percentage_that_no_tax_has_is_refused(by_hand: Made, percentage: float, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        by_hand(percentage)
    assert refused.value.param == "percentage"


def test_the_default_rates_of_a_subscription_tax_its_invoices(
    client: stripe.StripeClient, subscribe: Made, by_hand: Made, control: Control
) -> None:
    off: Any = {"automatic_tax": {"enabled": False}}
    sub = subscribe(None, **off, default_tax_rates=[by_hand(19).id, by_hand(1).id])
    assert sums(sub.latest_invoice) == (1000, 1200, 1000, [190, 10])
    assert reasons(sub.latest_invoice) == ["not_available"] * 2
    assert [rate.percentage for rate in sub.default_tax_rates] == [19, 1]
    client.v1.subscriptions.update(sub.id, {"default_tax_rates": [by_hand(7).id]})
    control("/advance", {"seconds": 32 * 86_400})
    renewed = client.v1.invoices.list({"subscription": sub.id}).data[0]
    assert (sums(renewed), renewed.amount_paid) == ((1000, 1070, 1000, [70]), 1070)
    assert [rate.percentage for rate in renewed.default_tax_rates] == [7]
    client.v1.subscriptions.update(sub.id, {"default_tax_rates": ""})
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3] == []
    wanted: Any = {"subscription": sub.id, "subscription_details": {"default_tax_rates": [by_hand(19).id]}}
    assert sums(client.v1.invoices.create_preview(wanted))[3] == [190]


def test_an_items_own_rates_come_before_the_default(
    client: stripe.StripeClient, subscribe: Made, by_hand: Made, priced: Made
) -> None:
    high, low = by_hand(19), by_hand(7)
    items: Any = [{"price": priced().id, "tax_rates": [low.id]}, {"price": priced(2000).id}]
    off: Any = {"automatic_tax": {"enabled": False}, "default_tax_rates": [high.id]}
    extra: Any = [{"price": priced(500, recurring=None).id, "tax_rates": [low.id]}]
    sub = subscribe(None, items=items, **off, add_invoice_items=extra)
    taxes = {line.amount: line.taxes[0].amount for line in sub.latest_invoice.lines.data}
    assert taxes == {500: 35, 1000: 70, 2000: 380}
    assert sub.latest_invoice.total == 3500 + 485
    item: Any = {"subscription": sub.id, "price": priced(300).id, "tax_rates": [low.id], "proration_behavior": "none"}
    added = client.v1.subscription_items.create(item)
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3] == [91, 380]
    changed: Any = {"items": [{"id": added.id, "tax_rates": [high.id]}]}
    client.v1.subscriptions.update(sub.id, changed)
    assert sorted(sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3]) == [70, 437]
    more: Any = {"subscription": sub.id, "invoice_items": [{"amount": 100, "currency": "eur", "tax_rates": [low.id]}]}
    more["subscription_details"] = {"items": [{"id": added.id, "tax_rates": [low.id]}]}
    assert sorted(sums(client.v1.invoices.create_preview(more))[3]) == [98, 380]
    first = next(row for row in client.v1.subscription_items.list({"subscription": sub.id}).data if row.tax_rates)
    assert [rate.id for rate in first.tax_rates or []] == [low.id]


def test_the_rates_of_an_item_change_without_a_proration_and_tax_its_prorations(
    client: stripe.StripeClient, subscribe: Made, by_hand: Made, priced: Made, control: Control
) -> None:
    off: Any = {"automatic_tax": {"enabled": False}}
    sub = subscribe(None, **off)
    item = sub["items"].data[0].id
    changed = client.v1.subscription_items.update(item, {"tax_rates": [by_hand(10).id]})
    assert [rate.percentage for rate in changed.tax_rates or []] == [10]
    assert client.v1.invoice_items.list({"customer": sub.customer}).data == []
    control("/advance", {"seconds": 10 * 86_400})
    wanted: Any = {"items": [{"id": item, "price": priced(4000).id}], "proration_behavior": "create_prorations"}
    client.v1.subscriptions.update(sub.id, wanted)
    waiting = client.v1.invoice_items.list({"customer": sub.customer}).data
    assert [[rate.percentage for rate in row.tax_rates or []] for row in waiting] == [[10], [10]]
    preview = client.v1.invoices.create_preview({"subscription": sub.id})
    assert len(preview.lines.data) == 3
    assert all(line.taxes and line.taxes[0].amount == round(line.amount / 10) for line in preview.lines.data)
    assert preview.total == preview.subtotal + sum(tax.amount for tax in preview.total_taxes or [])


def test_invoices_by_hand_and_their_items_have_rates(client: stripe.StripeClient, person: Made, by_hand: Made) -> None:
    who, high, low, inside = person(), by_hand(19), by_hand(7), by_hand(19, True)
    draft = client.v1.invoices.create({"customer": who.id, "currency": "eur", "default_tax_rates": [high.id]})
    item: Any = {"customer": who.id, "invoice": draft.id, "currency": "eur"}
    plain = client.v1.invoice_items.create({**item, "amount": 1000})
    client.v1.invoice_items.create({**item, "amount": 2000, "tax_rates": [low.id]})
    shown = client.v1.invoices.retrieve(draft.id)
    assert sums(shown) == (3000, 3330, 3000, [190, 140])
    client.v1.invoice_items.update(plain.id, {"tax_rates": [inside.id], "amount": 1190})
    assert sums(client.v1.invoices.retrieve(draft.id)) == (3190, 3330, 3000, [190, 140])
    client.v1.invoice_items.update(plain.id, {"tax_rates": "", "description": "Plain"})
    client.v1.invoices.update(draft.id, {"default_tax_rates": [low.id]})
    assert sums(client.v1.invoices.retrieve(draft.id))[3] == [223]
    line = next(row for row in client.v1.invoices.retrieve(draft.id).lines.data if row.amount == 1190)
    client.v1.invoices.line_items.update(draft.id, line.id, {"tax_rates": [high.id]})
    assert sums(client.v1.invoices.finalize_invoice(draft.id)) == (3190, 3556, 3190, [226, 140])


def test_lines_are_added_with_rates(client: stripe.StripeClient, person: Made, by_hand: Made) -> None:
    draft = client.v1.invoices.create({"customer": person().id, "currency": "eur"})
    rate, other = by_hand(10), by_hand(20)
    added: Any = [{"amount": 1000, "tax_rates": [rate.id]}]
    (line,) = client.v1.invoices.add_lines(draft.id, {"lines": added}).lines.data
    updated: Any = [{"id": line.id, "tax_rates": [other.id]}]
    assert [tax.amount for tax in line.taxes or []] == [100]
    assert sums(client.v1.invoices.update_lines(draft.id, {"lines": updated}))[3] == [200]


def test_who_is_exempt_pays_none_of_the_rates_by_hand(subscribe: Made, by_hand: Made, person: Made) -> None:
    who = person(BERLIN, tax_exempt="exempt")
    sub = subscribe(customer=who, automatic_tax={"enabled": False}, default_tax_rates=[by_hand().id])
    assert (sums(sub.latest_invoice), reasons(sub.latest_invoice)) == ((1000, 1000, 1000, [0]), ["customer_exempt"])


def test_an_archived_rate_goes_on_where_it_is_and_is_taken_nowhere_else(
    client: stripe.StripeClient, subscribe: Made, by_hand: Made, priced: Made
) -> None:
    rate, off = by_hand(), {"automatic_tax": {"enabled": False}}
    items: Any = [{"price": priced().id, "tax_rates": [rate.id]}]
    sub = subscribe(None, items=items, **off)
    client.v1.tax_rates.update(rate.id, {"active": False})
    more: Any = {"items": [{"id": sub["items"].data[0].id, "quantity": 2}]}
    client.v1.subscriptions.update(sub.id, more)
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3] == [570]
    with pytest.raises(stripe.InvalidRequestError, match="archived"):
        subscribe(None, **off, default_tax_rates=[rate.id])
    with pytest.raises(stripe.InvalidRequestError, match="No such tax rate"):
        subscribe(None, **off, default_tax_rates=["txr_nowhere"])
    with pytest.raises(stripe.InvalidRequestError, match="at most 5"):
        subscribe(None, **off, default_tax_rates=[by_hand().id for _ in range(6)])


def test_a_tax_code_is_read_and_one_that_cannot_be_is_refused(client: stripe.StripeClient) -> None:
    codes = {row.id: row.name for row in client.v1.tax_codes.list({"limit": 100}).data}
    assert codes["txcd_00000000"] == "Nontaxable"
    assert client.v1.tax_codes.retrieve("txcd_10103001").id == "txcd_10103001"
    product = client.v1.products.create({"name": "Pro", "tax_code": "txcd_10103001", "expand": ["tax_code"]})
    assert isinstance(product.tax_code, stripe.TaxCode)
    assert client.v1.products.update(product.id, {"tax_code": ""}).tax_code is None
    wrong: Any = ({"name": "Pro", "tax_code": "saas"}, {"name": "Pro", "tax_code": "txcd_1"})
    for refused in wrong:
        with pytest.raises(stripe.InvalidRequestError, match="No such tax code"):
            client.v1.products.create(refused)

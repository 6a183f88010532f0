"""Automatic tax of subscriptions and invoices: where, how much, and why not."""

from typing import Any

import pytest
import stripe

from ..conftest import Checked, Control
from .conftest import BERLIN, NEW_YORK, PARIS, Made, reasons, sums


def test_tax_comes_on_top_of_an_exclusive_price_and_out_of_an_inclusive_one(
    client: stripe.StripeClient, subscribe: Made, priced: Made
) -> None:
    on_top = subscribe().latest_invoice
    assert sums(on_top) == (1000, 1190, 1000, [190])
    assert (on_top.amount_paid, on_top.subtotal_excluding_tax) == (1190, 1000)
    assert (on_top.automatic_tax.status, on_top.automatic_tax.provider) == ("complete", "stripe")
    inside = subscribe(price=priced(1190, "inclusive")).latest_invoice
    assert sums(inside) == (1190, 1190, 1000, [190])
    assert inside.subtotal_excluding_tax == 1000
    (tax,) = inside.lines.data[0].taxes
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (190, 1000, "inclusive")
    rate = client.v1.tax_rates.retrieve(tax.tax_rate_details.tax_rate)
    assert (rate.percentage, rate.country, rate.active, rate.inclusive) == (19, "DE", False, True)


def test_the_same_place_is_taxed_by_one_and_the_same_rate(client: stripe.StripeClient, subscribe: Made) -> None:
    rates = {subscribe().latest_invoice.total_taxes[0].tax_rate_details.tax_rate for _ in range(2)}
    assert len(rates) == 1
    assert [row.id for row in client.v1.tax_rates.list({"active": False, "inclusive": False}).data] == list(rates)


@pytest.mark.parametrize(
    ("address", "taxes", "reason"),
    [
        (PARIS, [200], ["standard_rated"]),
        (NEW_YORK, [89], ["standard_rated"]),
        ({"country": "US", "state": "NY", "postal_code": "12207"}, [0], ["not_collecting"]),
        ({"country": "CA", "state": "BC"}, [50, 70], ["standard_rated"] * 2),
        ({"country": "IT"}, [0], ["zero_rated"]),
        ({"country": "BR"}, [0], ["not_collecting"]),
    ],
)
def test_the_table_says_what_is_collected_where(subscribe: Made, address: Any, taxes: Any, reason: Any) -> None:
    invoice = subscribe(address).latest_invoice
    assert ([tax.amount for tax in invoice.total_taxes], reasons(invoice)) == (taxes, reason)


def test_a_products_tax_code_decides_before_the_place_does(subscribe: Made, priced: Made) -> None:
    reduced = subscribe(price=priced(code="txcd_10302000")).latest_invoice
    assert (sums(reduced)[3], reasons(reduced)) == ([70], ["reduced_rated"])
    untaxed = subscribe(price=priced(code="txcd_00000000")).latest_invoice
    assert (sums(untaxed)[3], reasons(untaxed)) == ([0], ["not_subject_to_tax"])


def test_who_is_exempt_pays_no_tax_and_the_invoice_says_why(subscribe: Made, person: Made, priced: Made) -> None:
    for exempt, reason in (("exempt", "customer_exempt"), ("reverse", "reverse_charge")):
        invoice = subscribe(customer=person(BERLIN, tax_exempt=exempt)).latest_invoice
        assert (sums(invoice), reasons(invoice)) == ((1000, 1000, 1000, [0]), [reason])
        assert invoice.customer_tax_exempt == exempt
        inside = subscribe(customer=person(BERLIN, tax_exempt=exempt), price=priced(1190, "inclusive")).latest_invoice
        assert sums(inside) == (1190, 1190, 1190, [0])


def test_a_customer_that_becomes_exempt_pays_no_tax_from_then_on(
    client: stripe.StripeClient, subscribe: Made, control: Control
) -> None:
    sub = subscribe()
    client.v1.customers.update(sub.customer, {"tax_exempt": "exempt"})
    control("/advance", {"seconds": 32 * 86_400})
    renewed = client.v1.invoices.list({"customer": sub.customer}).data[0]
    assert (sums(renewed)[3], renewed.customer_tax_exempt) == ([0], "exempt")
    client.v1.customers.update(sub.customer, {"tax_exempt": "none"})
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3] == [190]


def test_a_price_given_by_its_data_has_a_behavior(client: stripe.StripeClient, subscribe: Made, priced: Made) -> None:
    data: Any = {"currency": "eur", "unit_amount": 1190, "product": priced().product, "tax_behavior": "inclusive"}
    data["recurring"] = {"interval": "month"}
    sub = subscribe(items=[{"price_data": data}])
    assert sums(sub.latest_invoice) == (1190, 1190, 1000, [190])
    item: Any = {"id": sub["items"].data[0].id, "price_data": {**data, "tax_behavior": "exclusive"}}
    client.v1.subscriptions.update(sub.id, {"items": [item], "proration_behavior": "none"})
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id})) == (1190, 1416, 1190, [226])


def test_a_price_that_says_nothing_is_taxed_as_the_table_says(
    client: stripe.StripeClient, control: Control, subscribe: Made, priced: Made
) -> None:
    price = priced(1190, "unspecified")
    control("/tax", {"tax_behavior": "inferred_by_currency"})
    assert sums(subscribe(price=price).latest_invoice) == (1190, 1190, 1000, [190])
    control("/tax", {"tax_behavior": "exclusive"})
    assert sums(subscribe(price=price).latest_invoice) == (1190, 1416, 1190, [226])
    client.v1.prices.update(price.id, {"tax_behavior": "inclusive"})
    assert sums(subscribe(price=price).latest_invoice)[1] == 1190
    with pytest.raises(stripe.InvalidRequestError, match="cannot be changed"):
        client.v1.prices.update(price.id, {"tax_behavior": "exclusive"})


def test_a_currency_option_has_a_behavior_of_its_own(subscribe: Made, priced: Made) -> None:
    options: Any = {"usd": {"unit_amount": 1190, "tax_behavior": "inclusive"}}
    price = priced(1000, currency_options=options)
    assert sums(subscribe(price=price, currency="usd").latest_invoice) == (1190, 1190, 1000, [190])


def test_what_a_discount_leaves_is_taxed(client: stripe.StripeClient, subscribe: Made, priced: Made) -> None:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    discounted: Any = {"discounts": [{"coupon": coupon.id}]}
    assert sums(subscribe(**discounted).latest_invoice) == (1000, 595, 500, [95])
    inside = subscribe(price=priced(1190, "inclusive"), **discounted).latest_invoice
    assert sums(inside) == (1190, 595, 500, [95])
    assert inside.subtotal_excluding_tax == 1000


def test_each_line_is_rounded_or_the_whole_as_the_table_says(
    client: stripe.StripeClient, control: Control, person: Made, priced: Made, subscribe: Made
) -> None:
    items: Any = [{"price": priced(113).id} for _ in range(3)]
    by_line = subscribe(items=items).latest_invoice
    assert ([line.taxes[0].amount for line in by_line.lines.data], sums(by_line)[3]) == ([21, 21, 21], [63])
    control("/tax", {"rounding": "total"})
    whole = subscribe(items=items).latest_invoice
    assert ([line.taxes[0].amount for line in whole.lines.data], sums(whole)[3]) == ([21, 22, 21], [64])
    assert whole.total == 339 + 64


def test_a_renewal_is_taxed_where_the_customer_is_by_then(
    client: stripe.StripeClient, control: Control, subscribe: Made
) -> None:
    sub = subscribe()
    client.v1.customers.update(sub.customer, {"address": PARIS})
    control("/advance", {"seconds": 32 * 86_400})
    latest = client.v1.invoices.list({"customer": sub.customer}).data[0]
    assert (sums(latest), latest.status) == ((1000, 1200, 1000, [200]), "paid")


def test_prorations_are_taxed_and_a_credit_gives_its_tax_back(
    client: stripe.StripeClient, control: Control, subscribe: Made, priced: Made
) -> None:
    sub = subscribe()
    control("/advance", {"seconds": 15 * 86_400})
    items: Any = [{"id": sub["items"].data[0].id, "price": priced(3000).id}]
    wanted: Any = {"items": items, "proration_behavior": "always_invoice"}
    preview = client.v1.invoices.create_preview({"subscription": sub.id, "subscription_details": wanted})
    changed = client.v1.subscriptions.update(sub.id, {**wanted, "expand": ["latest_invoice"]}).latest_invoice
    assert isinstance(changed, stripe.Invoice)
    assert sums(changed) == sums(preview)
    back, charged = sorted(line.taxes[0].amount for line in changed.lines.data if line.taxes)
    assert back < 0 < charged
    assert changed.total == changed.subtotal + back + charged
    assert changed.amount_paid == changed.total


def test_tax_is_switched_on_and_off_on_a_running_subscription(
    client: stripe.StripeClient, control: Control, subscribe: Made
) -> None:
    sub = subscribe(automatic_tax={"enabled": False})
    assert sums(sub.latest_invoice) == (1000, 1000, 1000, [])
    client.v1.subscriptions.update(sub.id, {"automatic_tax": {"enabled": True}})
    assert [row.id for row in client.v1.subscriptions.list({"automatic_tax": {"enabled": True}}).data] == [sub.id]
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[1] == 1190
    client.v1.subscriptions.update(sub.id, {"automatic_tax": {"enabled": False}})
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[1] == 1000
    assert client.v1.subscriptions.list({"automatic_tax": {"enabled": True}}).data == []


def test_an_invoice_by_hand_is_taxed_when_it_is_finalized(
    client: stripe.StripeClient, person: Made, control: Control
) -> None:
    who = person(BERLIN)
    draft = client.v1.invoices.create({"customer": who.id, "currency": "eur", "automatic_tax": {"enabled": True}})
    item: Any = {"customer": who.id, "invoice": draft.id, "currency": "eur"}
    client.v1.invoice_items.create({**item, "amount": 1000, "tax_behavior": "exclusive"})
    client.v1.invoice_items.create({**item, "amount": 1070, "tax_behavior": "inclusive", "tax_code": "txcd_10302000"})
    shown = client.v1.invoices.retrieve(draft.id)
    assert sums(shown) == (2070, 2260, 2000, [190, 70])
    line = next(row for row in client.v1.invoice_items.list({"invoice": draft.id}).data if row.amount == 1000)
    client.v1.invoice_items.update(line.id, {"tax_behavior": "inclusive", "tax_code": "txcd_10302000"})
    assert sums(client.v1.invoices.retrieve(draft.id))[3] == [135]
    client.v1.invoice_items.update(line.id, {"tax_behavior": "exclusive", "tax_code": ""})
    client.v1.customers.update(who.id, {"address": PARIS})
    final = client.v1.invoices.finalize_invoice(draft.id)
    assert sums(final) == (2070, 2270, 1892, [200, 178])
    assert client.v1.invoices.pay(final.id).amount_paid == 2270


def test_automatic_tax_is_switched_on_a_draft(client: stripe.StripeClient, person: Made) -> None:
    who = person(BERLIN)
    draft = client.v1.invoices.create({"customer": who.id, "currency": "eur"})
    client.v1.invoice_items.create({"customer": who.id, "invoice": draft.id, "currency": "eur", "amount": 1000})
    taxed = client.v1.invoices.update(draft.id, {"automatic_tax": {"enabled": True}})
    assert (sums(taxed)[1], taxed.automatic_tax.status) == (1190, "complete")
    untaxed = client.v1.invoices.update(draft.id, {"automatic_tax": {"enabled": False}})
    assert (sums(untaxed)[1], untaxed.automatic_tax.status, untaxed.total_taxes) == (1000, None, [])
    client.v1.invoices.finalize_invoice(draft.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.update(draft.id, {"automatic_tax": {"enabled": True}})
    assert refused.value.code == "invoice_not_editable"


def test_a_preview_is_taxed_for_somebody_who_is_no_customer_yet(client: stripe.StripeClient, priced: Made) -> None:
    details: Any = {"items": [{"price": priced().id}]}
    wanted: Any = {"automatic_tax": {"enabled": True}, "subscription_details": details, "currency": "eur"}

    def previewed(**about: Any) -> stripe.Invoice:
        return client.v1.invoices.create_preview({**wanted, "customer_details": about})

    assert sums(previewed(address=BERLIN)) == (1000, 1190, 1000, [190])
    assert sums(previewed(address=PARIS, tax_exempt="exempt"))[3] == [0]
    assert sums(previewed(tax={"ip_address": "203.0.113.9"}))[3] == [200]
    shipping: Any = {"name": "Ada", "address": PARIS}
    assert sums(previewed(address=BERLIN, shipping=shipping))[3] == [200]
    vat: Any = [{"type": "eu_vat", "value": "FRAB123456789"}]
    assert reasons(previewed(address=PARIS, tax_ids=vat)) == ["reverse_charge"]
    nowhere = previewed(tax_exempt="none")
    assert (nowhere.automatic_tax.status, nowhere.total, nowhere.total_taxes) == ("requires_location_inputs", 1000, [])


def test_the_details_of_a_preview_stand_for_those_of_the_customer(
    client: stripe.StripeClient, subscribe: Made, sandbox: Checked
) -> None:
    sub = subscribe()
    about: Any = {"subscription": sub.id, "customer_details": {"address": PARIS}}
    preview = client.v1.invoices.create_preview(about)
    assert (sums(preview)[3], preview.customer_address and preview.customer_address.country) == ([200], "FR")
    assert sandbox.state.get("customer", sub.customer)["address"]["country"] == "DE"


def test_the_items_of_a_preview_have_a_behavior_and_a_code(client: stripe.StripeClient, person: Made) -> None:
    items: Any = [
        {"amount": 1190, "currency": "eur", "tax_behavior": "inclusive"},
        {"amount": 1000, "currency": "eur", "tax_behavior": "exclusive", "tax_code": "txcd_00000000"},
    ]
    wanted: Any = {"customer": person(BERLIN).id, "currency": "eur", "invoice_items": items}
    preview = client.v1.invoices.create_preview({**wanted, "automatic_tax": {"enabled": True}})
    assert sums(preview) == (2190, 2190, 2000, [190, 0])


def test_rates_by_hand_are_refused_beside_automatic_tax(
    client: stripe.StripeClient, subscribe: Made, person: Made, by_hand: Made, priced: Made
) -> None:
    rate = by_hand()
    with pytest.raises(stripe.InvalidRequestError, match="Automatic tax cannot be combined"):
        subscribe(default_tax_rates=[rate.id])
    sub, who = subscribe(), person(BERLIN)
    with pytest.raises(stripe.InvalidRequestError, match="Automatic tax cannot be combined"):
        client.v1.subscription_items.update(sub["items"].data[0].id, {"tax_rates": [rate.id]})
    draft = client.v1.invoices.create({"customer": who.id, "currency": "eur", "automatic_tax": {"enabled": True}})
    with pytest.raises(stripe.InvalidRequestError, match="Automatic tax cannot be combined"):
        client.v1.invoices.update(draft.id, {"default_tax_rates": [rate.id]})
    item: Any = {"customer": who.id, "invoice": draft.id, "currency": "eur", "amount": 100, "tax_rates": [rate.id]}
    with pytest.raises(stripe.InvalidRequestError, match="Automatic tax cannot be combined"):
        client.v1.invoice_items.create(item)

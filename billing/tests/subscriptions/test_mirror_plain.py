"""Plain rows are written together, and each column is filled with what Stripe says."""

import pytest
from djstripe import models as djstripe

from billing.clock import from_timestamp
from billing.subscriptions import mirror_plain

SUBSCRIPTIONS, METHODS = djstripe.Subscription, djstripe.PaymentMethod


def customer(**changes):
    return {"id": "cus_1", "metadata": {}, "invoice_settings": {"default_payment_method": None}, **changes}


def subscription(**changes):
    items = {"has_more": False, "data": [{"id": "si_1", "price": {"id": "price_1"}, "tax_rates": []}]}
    return {"id": "sub_1", "customer": customer(), "items": items, "default_payment_method": None, **changes}


def method(**changes):
    return {"id": "pm_1", "customer": "cus_1", **changes}


def pays(paid_by):
    return customer(invoice_settings={"default_payment_method": paid_by})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"customer": customer(deleted=False, discount=None, sources=[])},
        {"default_payment_method": method()},
        {"default_payment_method": method(customer={"id": "cus_1"})},
        {"default_payment_method": method(customer=None)},
        {"customer": pays(method())},
        {"default_tax_rates": []},
    ],
)
def test_what_names_nothing_that_djstripe_would_look_for_is_plain(changes):
    assert mirror_plain._is_plain(subscription(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": "cus_1"},
        {"customer": customer(deleted=True)},
        {"customer": customer(discount={"id": "di_1"})},
        {"customer": customer(sources=[{"id": "card_1"}])},
        {"customer": customer(metadata={"djstripe_subscriber": "7"})},
        {"default_payment_method": "pm_1"},
        {"default_payment_method": method(customer="cus_other")},
        {"customer": pays("pm_1")},
        {"customer": pays(method(customer="cus_other"))},
        {"default_payment_method": method(), "customer": pays("pm_2")},
        {"default_tax_rates": [{"id": "txr_1"}]},
        {"items": {"has_more": True, "data": []}},
        {"items": {"has_more": False, "data": [{"id": "si_1"}, {"id": "si_2", "tax_rates": [{"id": "txr_1"}]}]}},
    ],
)
def test_what_names_more_is_left_to_djstripe(changes):
    assert not mirror_plain._is_plain(subscription(**changes))


@pytest.fixture
def known(db, monkeypatch):
    """The account of our key is known, and so is one price."""
    account = djstripe.Account.objects.create(id="acct_1")
    other = djstripe.Account.objects.create(id="acct_2")
    key = mirror_plain.conf.api_key
    djstripe.APIKey.objects.create(secret=f"{key}x", type="secret", livemode=False, djstripe_owner_account=other)
    djstripe.APIKey.objects.create(secret=key, type="secret", livemode=False, djstripe_owner_account=account)
    written = []
    monkeypatch.setattr(mirror_plain, "_known_prices", lambda ids: {"price_1": 7} if "price_1" in ids else {})
    monkeypatch.setattr(
        mirror_plain,
        "upsert",
        lambda model, account, objects, **relations: written.append((model, account, list(objects), relations)),
    )
    return written


def test_customer_methods_subscriptions_and_items_are_written_in_this_order_under_our_account(known):
    found = subscription(default_payment_method=method(), customer=pays(method(id="pm_2")))
    assert mirror_plain.write_subscriptions([found]) is True
    assert [(model, [one["id"] for one in objects]) for model, _, objects, _ in known] == [
        (djstripe.Customer, ["cus_1"]), (METHODS, ["pm_1", "pm_2"]), (SUBSCRIPTIONS, ["sub_1"]),
        (djstripe.SubscriptionItem, ["si_1"]),
    ]  # fmt: skip
    assert {account for _, account, _, _ in known} == {"acct_1"}
    assert [relations for *_, relations in known] == [{}, {}, {}, {"price": {"price_1": 7}}]


@pytest.mark.parametrize("why", ["account", "key", "odd", "price"])
def test_otherwise_nothing_is_written_and_djstripe_is_told_so(known, settings, monkeypatch, why):
    found = [subscription(), subscription(id="sub_2")]
    if why == "account":
        djstripe.APIKey.objects.all().delete()
    elif why == "key":
        settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD = "djstripe_id"
    elif why == "odd":
        found[1]["customer"] = "cus_1"
    else:
        found[1]["items"]["data"][0]["price"] = {"id": "price_2"}
    assert (mirror_plain.write_subscriptions(found), known) == (False, [])


def test_a_row_has_what_djstripe_would_read_and_its_price_by_the_key_of_djstripes_own():
    price = djstripe.Price._meta.get_field
    data = {"product": {"id": "prod_1"}, "nickname": None, "lookup_key": "pro", "created": 1000, "metadata": {"a": "b"}}
    assert mirror_plain._column(price("product"), data) == "prod_1"
    assert mirror_plain._column(price("product"), {}) is None
    assert (mirror_plain._column(price("nickname"), data), mirror_plain._column(price("lookup_key"), data)) == (
        "",
        "pro",
    )
    assert mirror_plain._column(price("created"), data) == from_timestamp(1000)
    assert (mirror_plain._column(price("metadata"), data), mirror_plain._column(price("metadata"), {})) == (
        {"a": "b"}, None,
    )  # fmt: skip
    item = {"id": "si_1", "price": {"id": "price_1"}, "subscription": "sub_1", "created": 1000, "metadata": {}}
    row = mirror_plain._row(djstripe.SubscriptionItem, "acct_1", item, {"price": {"price_1": 7}})
    assert (row.id, row.price_id, row.subscription_id, row.djstripe_owner_account_id) == ("si_1", 7, "sub_1", "acct_1")
    assert row.stripe_data["price"] == {"id": "price_1"}


def line(**changes):
    return {"id": "il_1", "invoice": "in_1", "subscription": "sub_1", "discounts": [], **changes}


def invoice(*lines, **changes):
    return {
        "id": "in_1",
        "customer": "cus_1",
        "created": 1000,
        "lines": {"has_more": False, "data": list(lines)},
        **changes,
    }


@pytest.mark.parametrize(
    "found", [invoice(line()), invoice(line(), line(id="il_2")), invoice(line(), discounts=[], default_tax_rates=[])]
)
def test_an_invoice_of_subscriptions_alone_is_plain(found):
    assert mirror_plain._is_plain_invoice(found)


@pytest.mark.parametrize(
    "found",
    [
        invoice(),
        invoice(line(subscription=None)),
        invoice(line(), line(id="il_2", discounts=["di_1"])),
        invoice(line(tax_rates=[{"id": "txr_1"}])),
        invoice(line(invoice_item="ii_1")),
        invoice(line(), discounts=["di_1"]),
        invoice(line(), default_tax_rates=[{"id": "txr_1"}]),
        invoice(line(), default_payment_method="pm_1"),
        invoice(line(), payment_intent="pi_1"),
        invoice(line(), lines={"has_more": True, "data": [line()]}),
    ],
)
def test_an_invoice_that_names_more_is_left_to_djstripe(found):
    assert not mirror_plain._is_plain_invoice(found)


@pytest.mark.parametrize("why", ["account", "key", "odd", "unknown", "of another customer"])
def test_otherwise_no_invoice_is_written(known, settings, why):
    owner = djstripe.Customer.objects.create(id="cus_1" if why != "of another customer" else "cus_2", livemode=False)
    if why != "unknown":
        djstripe.Subscription.objects.create(id="sub_1", customer=owner, livemode=False)
    if why == "account":
        djstripe.APIKey.objects.all().delete()
    elif why == "key":
        settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD = "djstripe_id"
    found = invoice(line(), discounts=["di_1"] if why == "odd" else [])
    assert (mirror_plain.write_invoice(found), known) == (False, [])


def test_an_invoice_is_written_with_its_lines_under_our_account(known):
    owner = djstripe.Customer.objects.create(id="cus_1", livemode=False)
    djstripe.Subscription.objects.create(id="sub_1", customer=owner, livemode=False)
    assert mirror_plain.write_invoice(invoice(line(), line(id="il_2"), customer={"id": "cus_1"}))
    assert [(model, account, [one["id"] for one in objects]) for model, account, objects, _ in known] == [
        (djstripe.Invoice, "acct_1", ["in_1"]), (djstripe.LineItem, "acct_1", ["il_1", "il_2"]),
    ]  # fmt: skip
    assert {(one["customer"], one["date"]) for one in known[1][2]} == {("cus_1", 1000)}

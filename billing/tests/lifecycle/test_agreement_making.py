"""An agreement asks Stripe for this, call by call: its price, its subscription, its invoice; each has its key."""

import pytest
import stripe

from billing import catalogue
from billing.lifecycle import refusals
from billing.lifecycle.agreements import AgreementRefused, starting
from billing.models import AccountDeletion, Agreement, Customer, Price
from billing.stripe_client import fetch

from . import test_agreement_beginning as beginning
from .test_agreement_beginning import NOW, agreed, facts_of

pytestmark = pytest.mark.django_db

_noon = beginning._noon


@pytest.fixture(autouse=True)
def ben():
    """Another subscriber's agreement, to which nothing happens."""
    other = agreed("ben", "starting")
    before = facts_of(other)
    yield other
    assert facts_of(other) == before


@pytest.fixture
def price(ben):
    return Price.objects.create(pk="price_1", plan=ben.plan, product="prod_1", currency="usd", interval="month",
                                is_active=True, lookup_key="agreed_month")  # fmt: skip


@pytest.fixture
def ada(price):
    return agreed("ada", "starting", price=price, interval_count=3, unit_amount=9900, refusals=2)


@pytest.fixture
def customer(ada):
    return Customer.objects.create(pk="cus_ada", subscriber=ada.subscriber)


@pytest.fixture
def calls(monkeypatch):
    """This notes what Stripe was asked for; `at_stripe` answers reads, and writes get what was sent and an id."""
    made = Calls()

    def post(path, idempotency_key, **params):
        if made.fails:
            raise made.fails
        made.append((path, idempotency_key, params))
        return {"id": f"new_{len(made)}", "latest_invoice": "in_1", **params}

    monkeypatch.setattr("billing.stripe_client.post", post)
    monkeypatch.setattr("billing.stripe_client.get", lambda path: made.at_stripe[path])
    return made


class Calls(list):
    fails: Exception | None = None

    def __init__(self):
        self.at_stripe = {"/v1/invoices/in_1": {"status": "draft"}}


def metadata(agreement):
    return {"billing_agreement": str(agreement.pk), starting.METADATA_KEY: str(agreement.subscriber.pk)}


def asked(agreement, **changes):
    usual = {"customer": "cus_ada", "items": [{"price": "price_1", "quantity": 3}], "days_until_due": 30,
             "collection_method": "send_invoice", "metadata": metadata(agreement)}  # fmt: skip
    return [("/v1/subscriptions", f"agreement:{agreement.pk}:2:subscription", {**usual, **changes})]


# The subscription


def test_the_metadata_name_the_agreement(ada):
    assert catalogue.AGREEMENT_KEY in metadata(ada)


def test_the_subscription_is_the_agreements_terms_and_no_more(ada, customer, calls):
    made = starting._make(ada, customer)
    assert calls == asked(ada)
    assert made["id"] == "new_1"


@pytest.mark.parametrize(
    ("columns", "params"),
    [
        ({"trial_days": 10}, {"trial_period_days": 10}),
        ({"currency": "eur"}, {"currency": "eur"}),
        ({"memo": "As agreed"}, {"invoice_settings": {"description": "As agreed"}}),
    ],
)
def test_each_term_is_sent_that_there_is(ada, customer, calls, columns, params):
    Agreement.objects.filter(pk=ada.pk).update(**columns)
    ada.refresh_from_db()
    starting._make(ada, customer)
    assert calls == asked(ada, **params)


def test_a_discount_is_sent_as_stripe_takes_it(ada, customer, calls, monkeypatch):
    ada.discount = "WELCOME"
    entry = lambda *what: {"coupon": "-".join(map(str, what))}  # noqa: E731
    monkeypatch.setattr(starting, "discount_entry", entry)
    starting._make(ada, customer)
    assert calls == asked(ada, discounts=[{"coupon": f"WELCOME-{ada.subscriber}-prod_1-usd"}])


def test_the_tax_of_the_settings_is_sent(ada, customer, calls, settings):
    settings.BILLING_TAX = {"rates": ["txr_1"]}
    starting._make(ada, customer)
    assert calls == asked(ada, default_tax_rates=["txr_1"])


def test_what_is_billed_by_usage_has_no_quantity(ada, customer, calls, monkeypatch):
    monkeypatch.setattr(catalogue.amounts, "is_metered", lambda price: price.pk == "price_1")
    starting._make(ada, customer)
    assert calls == asked(ada, items=[{"price": "price_1"}])


def test_on_hold_nothing_is_made(ada, customer, calls, monkeypatch):
    monkeypatch.setattr(starting.access, "withheld", lambda whose: whose == customer)
    with pytest.raises(refusals.AccessWithheld):
        starting._make(ada, customer)
    assert calls == []


def test_for_an_account_that_is_being_deleted_nothing_is_made(ada, customer, calls):
    AccountDeletion.objects.create(subscriber=ada.subscriber, requested_at=NOW)
    with pytest.raises(refusals.AccountClosing):
        starting._make(ada, customer)
    assert calls == []


# The price of an agreed amount


@pytest.fixture
def given(monkeypatch):
    """A price that Stripe made is given to a plan as it is."""
    kept = []

    def give_price(made, plan):
        kept.append((made["id"], plan.slug))
        return Price.objects.create(pk="price_new", plan=plan, currency="usd", product="prod_1")

    monkeypatch.setattr(catalogue, "give_price", give_price)
    return kept


@pytest.mark.parametrize(
    ("of_model", "by_setting", "sent"),
    [
        ("", "", {}),
        ("", "exclusive", {"tax_behavior": "exclusive"}),
        ("unspecified", "exclusive", {"tax_behavior": "exclusive"}),
        ("inclusive", "exclusive", {"tax_behavior": "inclusive"}),
        ("inclusive", "", {"tax_behavior": "inclusive"}),
    ],
)
def test_an_agreed_amount_is_a_price_of_the_plans_product(ada, calls, given, settings, of_model, by_setting, sent):
    Price.objects.filter(pk="price_1").update(tax_behavior=of_model)
    settings.BILLING_TAX = {"behavior": by_setting} if by_setting else {}
    price = starting._agreed_price(Agreement.objects.get(pk=ada.pk))
    params = {
        "product": "prod_1", "currency": "usd", "unit_amount": 9900, "expand": fetch.PRICE_EXPAND,
        "recurring": {"interval": "month", "interval_count": 3},
        "metadata": {catalogue.PLAN_KEY: "agreed", catalogue.AGREEMENT_KEY: str(ada.pk)},
    }  # fmt: skip
    assert calls == [("/v1/prices", f"agreement:{ada.pk}:2:price", {**params, **sent})]
    assert (given, price.pk, facts_of(ada)["price_id"]) == ([("new_1", "agreed")], "price_new", "price_new")


def test_the_price_that_there_is_is_not_made_again_and_one_that_is_not_is(ada, customer, calls, given):
    Agreement.objects.filter(pk=ada.pk).update(price=None)
    starting._make(Agreement.objects.get(pk=ada.pk), customer)
    assert [path for path, *_ in calls] == ["/v1/prices", "/v1/subscriptions"]
    assert calls[1][2]["items"] == [{"price": "price_new", "quantity": 3}]
    starting._make(Agreement.objects.get(pk=ada.pk), customer)
    assert [path for path, *_ in calls[2:]] == ["/v1/subscriptions"]


def test_an_agreed_amount_of_a_plan_without_a_product_is_refused(ada, calls, given):
    Price.objects.filter(pk="price_1").update(product="")
    with pytest.raises(AgreementRefused, match="The plan Agreed has no price at Stripe any more") as refused:
        starting._agreed_price(Agreement.objects.get(pk=ada.pk))
    assert (refused.value.code, calls, facts_of(ada)["price_id"]) == ("price_not_offered", [], "price_1")


def test_a_price_that_does_not_recur_is_refused(ada, calls, monkeypatch):
    monkeypatch.setattr(catalogue, "give_price", lambda made, plan: None)
    with pytest.raises(AgreementRefused, match="a price that does not recur") as refused:
        starting._agreed_price(ada)
    assert (refused.value.code, facts_of(ada)["price_id"]) == ("stripe_refused", "price_1")


# Its invoices


PO = {"name": "PO number", "value": "4711"}
OWN = [{"name": f"field {number}", "value": "x"} for number in range(4)]


@pytest.mark.parametrize(
    ("columns", "invoice", "texts"),
    [
        ({}, {}, {}),
        ({}, {"memo": "Thanks"}, {"description": "Thanks"}),
        ({"memo": "As agreed"}, {"memo": "Thanks"}, {"description": "As agreed"}),
        ({}, {"custom_fields": OWN}, {}),
        ({"po_number": "4711"}, {}, {"custom_fields": [PO]}),
        ({"po_number": "4711"}, {"custom_fields": OWN[:1]}, {"custom_fields": [PO, *OWN[:1]]}),
        ({"po_number": "4711"}, {"custom_fields": OWN}, {"custom_fields": [PO, *OWN[:3]]}),
    ],
)
def test_texts_of_the_agreement_come_first_and_there_are_four_fields_at_most(settings, columns, invoice, texts):
    settings.BILLING_INVOICE = invoice
    assert starting._invoice_texts(Agreement(**columns)) == texts


@pytest.mark.parametrize("latest", ["in_1", {"id": "in_1"}])
def test_the_first_invoice_is_sent_while_it_is_a_draft(ada, calls, latest):
    assert starting._send_invoice(ada, {"latest_invoice": latest}) == "in_1"
    assert calls == [("/v1/invoices/in_1/send", f"agreement:{ada.pk}:2:invoice", {})]


@pytest.mark.parametrize("status", ["open", "paid", "void"])
def test_an_invoice_that_is_no_draft_is_not_sent_again(ada, calls, status):
    calls.at_stripe["/v1/invoices/in_1"]["status"] = status
    assert starting._send_invoice(ada, {"latest_invoice": "in_1"}) == "in_1"
    assert calls == []


def test_without_an_invoice_none_is_sent_and_one_that_stripe_refuses_to_send_is_kept(ada, calls):
    assert starting._send_invoice(ada, {"latest_invoice": None}) == ""
    calls.fails = stripe.InvalidRequestError("No address", "customer")
    assert starting._send_invoice(ada, {"latest_invoice": "in_1"}) == "in_1"

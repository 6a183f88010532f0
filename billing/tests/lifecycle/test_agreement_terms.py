"""The terms of an agreement are taken up to each bound and refused past it; what they leave out is filled in."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing.lifecycle.agreements import AgreementRefused, drafting, terms
from billing.models import Agreement, Plan, Price

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
MOST = terms.MOST_AMOUNT


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK, settings.TIME_ZONE, settings.BILLING_INVOICE_DAYS = "", "UTC", 14
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def price():
    plan = Plan.objects.create(slug="agreed", name="Agreed", rank=1, line="storage")
    return Price.objects.create(
        pk="price_agreed", plan=plan, product="prod_1", currency="usd", unit_amount=500, interval="month",
        currency_options={"eur": 450, "isk": 70_000},
    )  # fmt: skip


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com")


def drafted(ada, **asked):
    return drafting.draft(ada, **{"plan": "agreed", **asked})


def refused(ada, **asked):
    with pytest.raises(AgreementRefused) as error:
        drafted(ada, **asked)
    assert not Agreement.objects.exists()
    return error.value.code


def test_what_is_left_out_is_filled_in(ada, price):
    made = drafted(ada)
    assert (made.subscriber, made.plan, made.line, made.price) == (ada, price.plan, "storage", price)
    assert (made.interval, made.interval_count, made.currency, made.unit_amount) == ("month", 1, "usd", None)
    assert (made.quantity, made.days_until_due, made.starts_on) == (1, 14, None)
    assert (made.po_number, made.memo, made.status, made.drafted_at) == ("", "", "draft", NOW)
    assert made.key != drafted(ada).key


def test_what_was_agreed_is_kept_as_it_was_said(ada, price):
    made = drafted(ada, amount=300, currency="EUR", quantity=7, days_until_due=45, po_number=" 4711 ", memo=" May ",
                   interval="year", interval_count=2, starts_on=TODAY + timedelta(days=1))  # fmt: skip
    assert (made.price, made.unit_amount, made.currency, made.quantity) == (None, 300, "eur", 7)
    assert (made.days_until_due, made.po_number, made.memo) == (45, "4711", "May")
    assert (made.interval, made.interval_count, made.starts_on) == ("year", 2, date(2027, 3, 11))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"plan": "nothing"}, "price_not_offered"),
        ({"interval": "century"}, "interval_not_offered"),
        ({"interval": "year", "interval_count": 4, "amount": 1}, "interval_not_offered"),
        ({"interval": "year"}, "price_not_offered"),
        ({"currency": "gbp"}, "currency_not_offered"),
        ({"currency": "gbp", "amount": 1}, "currency_not_offered"),
        ({"amount": 0}, "amount_out_of_range"),
        ({"amount": -1}, "amount_out_of_range"),
        ({"amount": MOST + 1}, "amount_out_of_range"),
        ({"amount": 150, "currency": "isk"}, "amount_out_of_range"),
        ({"amount": MOST // 2 + 1, "quantity": 2}, "amount_out_of_range"),
        ({"quantity": MOST // 500 + 1}, "amount_out_of_range"),
        ({"quantity": 0}, "quantity_out_of_range"),
        ({"quantity": terms.MOST_QUANTITY + 1, "amount": 1}, "quantity_out_of_range"),
        ({"days_until_due": 0}, "days_out_of_range"),
        ({"days_until_due": 366}, "days_out_of_range"),
        ({"starts_on": TODAY - timedelta(days=1)}, "start_in_past"),
        ({"starts_on": TODAY + timedelta(days=367)}, "start_too_far"),
        ({"po_number": "x" * (Agreement._meta.get_field("po_number").max_length + 1)}, "text_too_long"),
        ({"memo": "x" * (Agreement._meta.get_field("memo").max_length + 1)}, "text_too_long"),
    ],
)
def test_past_each_bound_it_is_refused_by_its_code_and_nothing_is_written(ada, price, asked, code):
    assert refused(ada, **asked) == code


@pytest.mark.parametrize(
    "asked",
    [
        {"currency": "eur"},
        {"currency": "EUR", "amount": 1},
        {"amount": MOST},
        {"amount": 200, "currency": "isk"},
        {"amount": 99, "quantity": terms.MOST_QUANTITY},
        {"quantity": MOST // 500},
        {"days_until_due": 1},
        {"days_until_due": 365},
        {"starts_on": TODAY + timedelta(days=366)},
        {"interval": "year", "interval_count": 3, "amount": 1},
        {"po_number": "x" * Agreement._meta.get_field("po_number").max_length},
        {"memo": "x" * Agreement._meta.get_field("memo").max_length},
    ],
)
def test_up_to_each_bound_it_is_taken(ada, price, asked):
    made = drafted(ada, **asked)
    assert (made.starts_on, made.quantity) == (asked.get("starts_on"), asked.get("quantity", 1))


def test_a_start_of_today_is_at_once(ada, price):
    assert drafted(ada, starts_on=TODAY).starts_on is None


def test_a_plan_that_costs_nothing_is_agreed_on_only_with_an_amount(ada, price):
    Price.objects.update(unit_amount=0)
    assert refused(ada) == "amount_out_of_range"
    assert drafted(ada, amount=1).unit_amount == 1


def test_an_amount_is_billed_by_a_product_of_the_plan_the_newest_that_is_sold(ada, price):
    Price.objects.update(is_active=False)
    assert drafted(ada, amount=1).currency == "usd"
    for name, columns in (("a", {"is_active": False, "lookup_key": "key"}), ("b", {"currency": "eur"}),
                          ("c", {"lookup_key": "other", "currency": "chf"}), ("z", {"product": ""})):  # fmt: skip
        usual = {"product": "prod_1", "currency": "usd", "unit_amount": 1, "interval": "week", "currency_options": {}}
        Price.objects.create(pk=f"price_{name}", plan=price.plan, **{**usual, **columns})
    assert terms.model_price(price.plan).pk == "price_c"
    assert drafted(ada, amount=1).currency == "chf"
    Price.objects.update(product="")
    assert terms.model_price(price.plan) is None
    Agreement.objects.all().delete()
    assert refused(ada, amount=1) == "price_not_offered"


# The same key


TERMS = {"quantity": 2, "days_until_due": 30, "po_number": "1", "memo": "m", "currency": "usd", "amount": 900}


@pytest.mark.parametrize(
    "left_out", [{}, {"quantity": None}, {"days_until_due": None}, {"currency": ""}, {"currency": "USD"},
                 {"starts_on": TODAY}, {"po_number": " 1 "}],
)  # fmt: skip
def test_the_same_key_and_terms_are_the_same_agreement(ada, price, left_out):
    first = drafted(ada, key="quote:1", **TERMS)
    assert drafted(ada, key="quote:1", **{**TERMS, **left_out}) == first
    assert Agreement.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"quantity": 3}, {"days_until_due": 31}, {"po_number": "2"}, {"memo": "n"}, {"currency": "eur"},
              {"amount": 901}, {"amount": None}, {"plan": "other"}, {"interval": "week"}, {"interval_count": 2},
              {"starts_on": TODAY + timedelta(days=1)}],
)  # fmt: skip
def test_the_same_key_and_other_terms_or_another_subscriber_are_refused(ada, price, other):
    drafted(ada, key="quote:1", **TERMS)
    ben = get_user_model().objects.create_user("ben@example.com")
    for who, asked in ((ada, {**TERMS, **other}), (ben, TERMS)):
        with pytest.raises(AgreementRefused) as error:
            drafted(who, key="quote:1", **asked)
        assert error.value.code == "key_reused"


@pytest.mark.parametrize("status", Agreement.Status.values)
def test_only_what_has_not_started_is_discarded_and_a_bystander_is_not(ada, price, status):
    made, bystander = drafted(ada), drafted(ada)
    Agreement.objects.filter(pk=made.pk).update(status=status)
    if status in (*Agreement.DISCARDABLE, "discarded"):
        assert drafting.discard(made).status == "discarded"
    else:
        with pytest.raises(AgreementRefused, match="has started"):
            drafting.discard(made)
        assert Agreement.objects.get(pk=made.pk).status == status
    assert Agreement.objects.get(pk=bystander.pk).status == "draft"

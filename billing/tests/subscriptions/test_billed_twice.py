"""Who is billed twice, rule by rule, by our rows alone: each condition alone decides, and bystanders are not named."""

import pytest
from django.contrib.auth import get_user_model

from billing.models import Alert, Customer, Plan, Price, Subscription
from billing.subscriptions import paying_twice

pytestmark = pytest.mark.django_db


@pytest.fixture
def price():
    plan = Plan.objects.create(slug="twice", name="Twice", rank=1)
    return Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com")


@pytest.fixture
def bills(price):
    """Makes a subscription that bills a customer, who is made with it."""

    def make(number, customer="ada", subscriber=None, email="", **columns):
        payer, _ = Customer.objects.get_or_create(
            pk=f"cus_{customer}", defaults={"subscriber": subscriber, "email": email, "is_current": False}
        )
        usual = {"status": "active", "price": price, "plan": price.plan, "currency": "usd", "counts": False}
        return Subscription.objects.create(customer=payer, stripe_id=f"sub_{number}", **{**usual, **columns})

    return make


@pytest.fixture
def bystanders(bills):
    """Each bills once, in the line, and without an address, as others do."""
    user = get_user_model().objects.create_user("eve@example.com")
    return [bills(7, "eve", user), bills(8, "fay"), bills(9, "gil", None, "gil@example.com")]


def named(sentences):
    """The ids that each sentence names, in its order."""
    return [[word.strip("(),") for word in text.split() if word.startswith("sub_")] for text in sentences]


def at_all():
    """What is found for all, which is what is found for each customer."""
    found = named(paying_twice.lasting())
    of_each = [named(paying_twice.lasting(pk)) for pk in Customer.objects.order_by("pk").values_list("pk", flat=True)]
    assert sorted(map(str, found)) == sorted({str(names) for each in of_each for names in each})
    return found


@pytest.mark.parametrize(
    ("columns", "is_twice"),
    [
        *(({"status": status}, True) for status in ("active", "trialing", "past_due")),
        *(({"status": status}, False) for status in ("canceled", "unpaid", "incomplete", "paused")),
        ({"line": "storage"}, False),
        ({"whose": "foreign"}, False),
        ({"whose": "unknown"}, True),
    ],
)
@pytest.mark.parametrize("whose", ["customer", "subscriber", "address"])
def test_two_of_a_line_that_bill_one_payer_are_named(bills, bystanders, ada, whose, columns, is_twice):
    bills(1, "ada", ada, "ada@example.com")
    second = {"customer": ("ada",), "subscriber": ("second", ada), "address": ("second", None, "ada@example.com")}
    bills(2, *second[whose], **columns)
    assert at_all() == ([["sub_2"] if whose == "address" else ["sub_1", "sub_2"]] if is_twice else [])


@pytest.mark.parametrize("whose", ["customer", "address"])
def test_what_costs_nothing_bills_nobody(bills, bystanders, ada, price, whose):
    free = Price.objects.create(pk="price_0", plan=price.plan, currency="usd", unit_amount=0, interval="month")
    bills(1, "ada", ada, "ada@example.com")
    bills(2, *(("ada",) if whose == "customer" else ("second", None, "ada@example.com")), price=free)
    assert at_all() == []


@pytest.mark.parametrize("number", [1, 2])
def test_who_was_deleted_at_stripe_is_billed_for_nothing(bills, bystanders, ada, number):
    rows = [bills(1, "ada", ada), bills(2, "second", ada)]
    assert at_all() == [["sub_1", "sub_2"]]
    Customer.objects.filter(pk=rows[number - 1].customer_id).update(deleted_at="2027-01-01T00:00Z")
    assert named(paying_twice.lasting()) == []


def test_an_address_says_nothing_where_it_is_empty_or_of_two_strangers_or_of_two_subscribers(bills, bystanders, ada):
    bills(1, "ada", ada)
    bills(2, "empty")
    bills(3, "one", None, "both@example.com")
    bills(4, "two", None, "both@example.com")
    bills(5, "ben", get_user_model().objects.create_user("ben@example.com"), "shared@example.com")
    bills(6, "cat", get_user_model().objects.create_user("cat@example.com"), "shared@example.com")
    assert at_all() == []


def test_the_one_that_counts_is_named_first_and_each_other_beside_it(bills, bystanders):
    bills(1)
    bills(2, counts=True)
    bills(3)
    assert at_all() == [["sub_2", "sub_1"], ["sub_2", "sub_3"]]
    assert all("customer cus_ada is" in text and ", which counts," in text for text in paying_twice.lasting())


def test_of_two_customers_the_first_by_name_is_named_first_and_none_is_said_to_count(bills, bystanders, ada):
    bills(1, "second", ada, counts=True)
    bills(2, "ada", ada, counts=True)
    assert at_all() == [["sub_2", "sub_1"]]
    (text,) = paying_twice.lasting("cus_ada")
    assert "subscriber of cus_ada and cus_second is billed twice: sub_2 (Twice) and sub_1 (Twice)." in text


def test_a_price_without_a_plan_is_named_so(bills):
    bills(1)
    bills(2, plan=None)
    assert "sub_2 (a price without a plan)" in paying_twice.lasting()[0]


def test_no_more_rows_are_read_than_may_be_named(bills, bystanders, ada):
    row, second, nobody = bills(1, "ada", ada, "ada@example.com"), bills(2, "second", ada), bills(3, "nobody", None,
        "ada@example.com")  # fmt: skip
    bills(4, "ada", line="storage")
    bills(5, "ada", whose="foreign")
    foreign_alone, empty = bills(10, "hal", whose="foreign"), bills(11, "ida")
    bills(12, "hal", line="storage")
    assert set(paying_twice.rows_beside_another()) == {row, second, nobody}
    storage = Subscription.objects.get(stripe_id="sub_4")
    for customer in ("cus_ada", "cus_nobody"):
        assert set(paying_twice._rows_near({customer})) == {row, second, nobody, storage} - (
            {second} if customer == "cus_nobody" else set()
        )
    assert paying_twice._rows_near({empty.customer_id}) == [empty]
    assert foreign_alone not in paying_twice._rows_near({"cus_hal"})


def test_of_a_customer_the_pairs_of_others_at_the_same_address_are_not_told(bills, bystanders, ada):
    bills(1, "ada", ada, "ada@example.com")
    bills(2, "ada")
    bills(3, "nobody", None, "ada@example.com")
    assert named(paying_twice.lasting("cus_nobody")) == [["sub_3"]]
    assert named(paying_twice.lasting("cus_ada")) == [["sub_1", "sub_2"]]


# Alerts


@pytest.fixture
def told(django_capture_on_commit_callbacks):
    """The causes of the alerts of a call."""

    def causes(work, *args):
        with django_capture_on_commit_callbacks(execute=True):
            work(*args)
        found = sorted(Alert.objects.values_list("cause", flat=True))
        Alert.objects.all().delete()
        return found

    return causes


NONE: frozenset[str] = frozenset()
TWICE = ["billed_twice:sub_1:sub_2"]


def test_an_alert_tells_what_bills_since_this_step_alone(bills, bystanders, told):
    first, second = bills(1), bills(2)
    asleep, elsewhere = Subscription(status="incomplete"), Subscription(status="active", line="storage")
    foreign = Subscription(status="active", whose="foreign")
    for before in (asleep, elsewhere, foreign):
        assert told(paying_twice.alert_new, [(first, first), (before, second)], NONE) == TWICE
    assert told(paying_twice.alert_new, [(first, first), (second, second)], NONE) == []
    second.status = "canceled"
    assert told(paying_twice.alert_new, [(asleep, second)], NONE) == []


def test_a_duplicate_that_is_about_to_be_undone_is_not_told(bills, bystanders, told):
    asleep = Subscription(status="incomplete")
    first, second = bills(1), bills(2)
    pairs = [(asleep, first), (asleep, second)]
    assert told(paying_twice.alert_new, pairs, frozenset({"sub_2"})) == []
    assert told(paying_twice.alert_new, pairs, frozenset({"sub_1", "sub_2"})) == []
    third = bills(3)
    assert told(paying_twice.alert_new, [*pairs, (asleep, third)], frozenset({"sub_2"})) == ["billed_twice:sub_1:sub_3"]


def test_what_is_linked_is_told_of_both_kinds_and_of_these_customers_alone(bills, bystanders, ada, told):
    bills(1, "ada", ada, "ada@example.com")
    bills(2, "second", ada)
    bills(3, "nobody", None, "ada@example.com")
    assert told(paying_twice.alert_linked, ["cus_second"]) == TWICE
    assert told(paying_twice.alert_linked, ["cus_nobody"]) == ["may_pay_twice:sub_3"]
    assert told(paying_twice.alert_linked, ["cus_ada"]) == [*TWICE, "may_pay_twice:sub_3"]
    assert told(paying_twice.alert_linked, ["cus_eve", "cus_fay", "cus_gil"]) == []


def test_another_address_is_told_of_whom_it_is_of_and_not_what_was_told_before(bills, bystanders, ada, told):
    bills(1, "ada", ada, "ada@example.com")
    bills(2, "second", ada)
    bills(3, "nobody", None, "ada@example.com")
    assert told(paying_twice.alert_address, ["cus_nobody"]) == ["may_pay_twice:sub_3"]
    assert told(paying_twice.alert_address, ["cus_ada"]) == ["may_pay_twice:sub_3"]
    assert told(paying_twice.alert_address, ["cus_second", "cus_fay"]) == []


def test_the_cause_of_an_alert_fits_into_its_column(bills, ada, told):
    bills("1" * 90, "ada", ada, "ada@example.com")
    bills("2" * 90, "second", ada)
    bills("3" * 90, "nobody", None, "ada@example.com")
    causes = told(paying_twice.alert_linked, ["cus_ada"])
    assert [(cause[:14], len(cause)) for cause in causes] == [("billed_twice:s", 100), ("may_pay_twice:", 100)]

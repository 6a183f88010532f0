"""Differences between our rows and Stripe are told field by field, of that customer alone, and from both sides."""

import pytest

from billing import subscriptions
from billing.models import Customer, Plan, Price, Subscription
from billing.sync import comparing
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices(settings):
    settings.BILLING_CLOCK = ""
    plan = Plan.objects.create(slug="swept", name="Swept", rank=1)
    return Price.objects.create(pk="price_low", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_1", email="ada@example.com")


@pytest.fixture
def ben():
    """A bystander, with a subscription of the same kind."""
    ben = Customer.objects.create(pk="cus_ben")
    Subscription.objects.create(customer=ben, stripe_id="sub_ben", status="unpaid")
    return ben


def theirs(name="sub_1", email="ada@example.com", deleted=False, **changes):
    customer = (
        {"id": "cus_1", "deleted": True} if deleted else {"id": "cus_1", "email": email, "invoice_settings": None}
    )
    return found(name, customer=customer, **changes)


def ours(customer, told, **columns):
    row = Subscription(customer=customer)
    for name, value in subscriptions.columns_of(told, row).items():
        setattr(row, name, value)
    for name, value in {"counts": True, **columns}.items():
        setattr(row, name, value)
    row.save()
    return row


@pytest.fixture
def stripe(monkeypatch):
    """Says what Stripe lists of a customer, and whether one without any is deleted."""
    told = {"found": [], "is_deleted": False, "asked": []}

    def listed(customer):
        told["asked"].append(customer)
        return told["found"]

    monkeypatch.setattr(comparing.fetch, "subscriptions", listed)
    monkeypatch.setattr(comparing.fetch, "open_invoices", lambda subscription: [])
    monkeypatch.setattr(comparing.fetch, "is_deleted", lambda customer: told["is_deleted"])
    return told


def test_who_is_as_stripe_has_them_does_not_differ(ada, ben, stripe):
    stripe["found"] = [theirs()]
    ours(ada, theirs())
    assert comparing.differences_from_stripe(ada) == {}
    assert stripe["asked"][0] == "cus_1"


@pytest.mark.parametrize(
    ("columns", "differences"),
    [
        ({"status": "unpaid"}, {"status": ("unpaid", "active")}),
        ({"quantity": 7}, {"quantity": (7, 1)}),
        ({"counts": False}, {"counts": (False, True)}),
    ],
)
def test_a_field_that_differs_is_told_with_both_sides(ada, ben, stripe, columns, differences):
    stripe["found"] = [theirs()]
    ours(ada, theirs(), **columns)
    assert comparing.differences_from_stripe(ada) == differences
    assert Subscription.objects.get(stripe_id="sub_1").quantity == columns.get("quantity", 1), "nothing is written"


@pytest.mark.parametrize(("email", "known"), [("new@example.com", "new@example.com"), (None, ""), ("", "")])
def test_another_address_is_a_difference(ada, stripe, email, known):
    stripe["found"] = [theirs(email=email)]
    ours(ada, theirs())
    assert comparing.differences_from_stripe(ada) == {"email": ("ada@example.com", known)}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_customer_who_was_deleted_at_stripe_differs_until_we_know(ada, stripe, listed, is_known):
    stripe["found"] = [theirs(deleted=True, status="canceled", ended_at=5)] if listed else []
    stripe["is_deleted"] = True
    ada.deleted_at = "2027-01-01T00:00Z" if is_known else None
    told = {} if is_known else {"deleted_at": (None, "deleted at Stripe")}
    assert comparing.differences_from_stripe(ada) == told


def test_who_never_bought_does_not_differ(ada, stripe):
    assert comparing.differences_from_stripe(ada) == {}


def test_of_several_subscriptions_each_field_is_told_with_its_id(ada, ben):
    listed = [theirs(), theirs("sub_2", "ada@example.com", status="canceled", ended_at=5)]
    ours(ada, listed[0], quantity=7)
    assert comparing.differences_of(ada, listed, lambda subscription: [])["sub_1 quantity"] == (7, 1)
    told = comparing.differences_of(ada, listed, lambda subscription: [])
    assert told["sub_2 stripe_id"] == ("", "sub_2")
    assert {name.split()[0] for name in told} == {"sub_1", "sub_2"}


def test_rows_are_read_by_customer_and_those_who_are_not_named_are_not(ada, ben, django_assert_num_queries):
    first, second = ours(ada, theirs()), ours(ada, theirs("sub_2"), counts=False)
    eve = Customer.objects.create(pk="cus_eve")
    with django_assert_num_queries(1):
        rows = comparing.rows_of(iter([ada.pk, eve.pk]))
        assert rows[ada.pk][0].customer.email == "ada@example.com"
    assert {customer: {row.pk for row in found} for customer, found in rows.items()} == {ada.pk: {first.pk, second.pk}}


def test_what_changed_between_two_moments_is_told_also_of_what_came_or_went(ada, ben):
    row = ours(ada, theirs())
    before = comparing.snapshot([ada.pk, ben.pk])
    assert set(before) == {ada.pk, ben.pk}
    Subscription.objects.filter(pk=row.pk).update(status="unpaid")
    after = comparing.snapshot([ada.pk, ben.pk])
    assert comparing.changes_between(before[ada.pk], after[ada.pk]) == {"status": ("active", "unpaid")}
    assert comparing.changes_between(before[ben.pk], after[ben.pk]) == {}
    came = comparing.changes_between({}, {"sub_1": after[ada.pk]["sub_1"]})
    assert (came["status"], came["stripe_id"]) == (("none", "unpaid"), ("", "sub_1"))
    assert comparing.changes_between({"sub_1": after[ada.pk]["sub_1"]}, {})["status"] == ("unpaid", "none")


def test_another_counts_by_now_where_it_gives_more(ada):
    one, other = ours(ada, theirs()), ours(ada, theirs("sub_0", items=[item("price_low")]), counts=False)
    assert comparing.counts_otherwise([one, other]) is False
    one.status = "unpaid"
    assert comparing.counts_otherwise([one, other]) is True
    assert (one.counts, other.counts) == (True, False), "the rows stay as they are"

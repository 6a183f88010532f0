"""What is known of a next charge is said until it is doubted: each mark has its bounds, and bystanders keep theirs."""

import pytest

from billing.models import Customer, NextCharge, StripeWrite, Subscription
from billing.stripe_client import fetch
from billing.subscriptions import next_charges

from . import test_reckoned_charges as reckoned
from .test_reckoned_charges import HOUR, NOW, SECOND, as_it_is, charge_of, row_of

pytestmark = pytest.mark.django_db

_noon, prices, ada, ben = reckoned._noon, reckoned.prices, reckoned.ada, reckoned.ben


# What is said of it


@pytest.mark.parametrize(("at", "is_said"), [(NOW - SECOND, False), (NOW, False), (NOW + SECOND, True)])
def test_a_charge_is_said_until_its_time(ada, ben, at, is_said):
    row = charge_of(ada, amount=500, at=at)
    assert next_charges.next_charge_of(ada) == (row if is_said else None)


def cancelled(subscription):
    return StripeWrite.objects.create(
        action="cancel_subscription", object_id=subscription.stripe_id, lane=subscription.customer_id, requested_at=NOW
    )


def test_of_none_and_of_what_has_ended_or_is_being_cancelled_nothing_is_said(ada, ben):
    charge_of(ada, amount=500, at=NOW + HOUR)
    assert next_charges.next_charge_of(None) is next_charges.next_charge_of(Subscription(customer=ada.customer)) is None
    cancelled(ada)
    assert next_charges.next_charge_of(ada) is None
    assert next_charges.next_charge_of(ben.subscription) == ben
    Customer.objects.filter(pk="cus_ben").update(deleted_at=NOW)
    assert next_charges.next_charge_of(Subscription.objects.get(pk=ben.subscription_id)) is None


def test_an_amount_of_nothing_is_said_and_none_is_not(ada, ben):
    row = charge_of(ada, at=NOW + HOUR)
    assert next_charges.next_charge_of(ada) is None
    NextCharge.objects.filter(pk=row.pk).update(amount=0)
    assert next_charges.next_charge_of(ada) == row


def test_it_is_awaited_while_stripe_is_to_be_asked_about_this_one(ada, ben):
    charge_of(ada, ask_at=NOW)
    assert (next_charges.is_awaited(ada), next_charges.is_awaited(ben.subscription)) == (True, False)
    write = cancelled(ada)
    assert not next_charges.is_awaited(ada)
    StripeWrite.objects.filter(pk=write.pk).update(withdrawn_at=NOW)
    assert next_charges.is_awaited(ada)


# Marked, to be asked again


def marked(row):
    again = NextCharge.objects.get(pk=row.pk)
    return (again.amount, again.ask_at, again.version, again.attempts) == (None, NOW, row.version + 1, 0)


def test_asking_again_of_a_customer_marks_what_was_known_of_that_one_alone(ada, ben):
    row = charge_of(ada, amount=500, at=NOW + HOUR)
    unknown = charge_of(row_of("eve"), ask_at=NOW - HOUR)
    before = as_it_is(ben), as_it_is(unknown)
    next_charges.ask_again_of(ada.customer)
    next_charges.ask_again_of(unknown.subscription.customer)
    assert marked(row)
    assert (as_it_is(ben), as_it_is(unknown)) == before


def test_asking_again_of_prices_marks_who_pays_them_now_or_soon(ada, ben, prices):
    row = charge_of(ada, amount=500, at=NOW + HOUR)
    ada.items.create(stripe_id="si_1", stripe_price="price_low", quantity=1)
    soon = charge_of(row_of("eve", pending_price=prices[0]), amount=500, at=NOW + HOUR)
    before = as_it_is(ben)
    next_charges.ask_again_of_prices(["price_low"])
    assert (marked(row), marked(soon)) == (True, True)
    assert as_it_is(ben) == before


def test_who_was_imported_is_asked_about_once_if_charged_for_ours(ada, ben):
    row_of("eve", status="canceled")
    row_of("fay", whose=Subscription.Whose.FOREIGN)
    row_of("gil")
    before = as_it_is(ben)
    for _ in range(2):
        next_charges.await_first(["cus_ada", "cus_ben", "cus_eve", "cus_fay"])
    rows = NextCharge.objects.exclude(pk=ben.pk).values_list("subscription__stripe_id", "ask_at")
    assert list(rows) == [("sub_ada", NOW)]
    assert as_it_is(ben) == before


@pytest.mark.parametrize(("attempts", "hours"), [(0, 1), (1, 2), (4, 16), (5, 24), (9, 24)])
def test_what_stripe_does_not_answer_is_asked_later_each_time(ada, ben, attempts, hours):
    before = as_it_is(ben)
    row = charge_of(ada, ask_at=NOW)
    row.attempts = attempts
    next_charges._ask_later(row)
    row.refresh_from_db()
    assert (row.ask_at, row.attempts) == (NOW + hours * HOUR, attempts + 1)
    row.version -= 1
    next_charges._ask_later(row)
    assert NextCharge.objects.get(pk=row.pk).attempts == attempts + 1, "it has changed since"
    assert as_it_is(ben) == before


# An invoice item that waits


@pytest.fixture
def items_of(monkeypatch):
    """Says what Stripe answers of the customer's subscriptions: the latest invoice of each."""

    def answer(**invoices):
        told = [{"id": f"sub_{name}", "latest_invoice": invoice} for name, invoice in invoices.items()]
        monkeypatch.setattr(fetch, "subscriptions", lambda customer: told)

    return answer


@pytest.mark.parametrize(
    ("latest", "waits"),
    [({"created": 99}, True), ({"created": 100}, False), ({"created": 101}, False), ("in_1", True), (None, True)],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_an_invoice_item_is_waited_for_unless_an_invoice_came_since(ada, ben, items_of, latest, waits, is_known):
    before = as_it_is(ben)
    if is_known:
        charge_of(ada, amount=500, at=NOW + HOUR)
    items_of(ada=latest)
    next_charges.await_extras(ada.customer, 100)
    row = NextCharge.objects.filter(subscription=ada, ask_at=NOW).first()
    assert (row is not None) == waits
    if row:
        assert (row.amount, row.extras_until) == (None, ada.current_period_end)
        assert (row.version, row.attempts) == ((5, 0) if is_known else (1, 0))
    assert as_it_is(ben) == before


def test_an_invoice_item_is_waited_for_by_what_is_charged_for_ours_alone(ada, ben, items_of):
    for name, columns in (("over", {"status": "canceled"}), ("foreign", {"whose": "foreign"}), ("second", {})):
        usual = {"status": "active", "counts": False, "current_period_end": NOW + HOUR}
        Subscription.objects.create(customer=ada.customer, stripe_id=f"sub_{name}", **{**usual, **columns})
    items_of(ada={"created": 101}, over=None, foreign=None, second=None)
    next_charges.await_extras(ada.customer, 100)
    assert [row.subscription.stripe_id for row in NextCharge.objects.exclude(pk=ben.pk)] == ["sub_second"]

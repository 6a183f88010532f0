"""The new price is written in place of the old one in those subscriptions that are due, and nothing else is sent."""

import pytest
import stripe
from django.contrib.auth import get_user_model

from billing.lanes import standing_writes
from billing.lifecycle.price_moves import writing
from billing.lifecycle.refusals import ChangePending
from billing.models import Alert, Customer, PriceMove, PriceMoveRow, StripeWrite
from billing.stripe_client import NoSuchCustomer, drain_reads, fetch, reads
from billing.tests.subscriptions.test_projection import found as stripe_subscription
from billing.tests.subscriptions.test_projection import item as stripe_item

from . import test_price_move_telling as told
from .test_price_move_telling import DAY, HOUR, NOW, RENEWAL, TOLD, row_of

pytestmark = pytest.mark.django_db

_noon, plan, move, ben = told._noon, told.plan, told.move, told.ben

AT = int(RENEWAL.timestamp())
OWED = {**TOLD, "status": "owed", "due_at": NOW, "reason": "why"}


@pytest.fixture(autouse=True)
def stays(ben):
    """Another customer's row is owed as well; nothing here concerns it."""
    PriceMoveRow.objects.filter(pk=ben.pk).update(**OWED)
    before = PriceMoveRow.objects.filter(pk=ben.pk).values().get()
    yield
    assert PriceMoveRow.objects.filter(pk=ben.pk).values().get() == before


@pytest.fixture
def row(move):
    row = row_of(move, **OWED)
    user = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
    Customer.objects.filter(pk="cus_ada").update(subscriber=user)
    return row


@pytest.fixture
def at_stripe(monkeypatch):
    """The customer's subscriptions as Stripe has them; each reading of them is fresh."""
    found = []

    def subscriptions(customer):
        assert customer == "cus_ada"
        assert reads._current.get() is not at_stripe_outer.get("reads"), "what was read before may be old"
        return found

    at_stripe_outer = {}
    monkeypatch.setattr(fetch, "subscriptions", subscriptions)
    with drain_reads() as outer:
        at_stripe_outer["reads"] = outer
        yield found


@pytest.fixture
def written(monkeypatch):
    """The writes that Stripe was asked for; those of a subscription in `refusals` fail."""
    calls = Calls()

    def post(path, idempotency_key, **params):
        if refusal := calls.refusals.get(path.rsplit("/")[-1]):
            raise refusal
        calls.append((path, idempotency_key, params))

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


class Calls(list):
    def __init__(self):
        self.refusals = {}


@pytest.fixture
def refreshed(monkeypatch):
    """The customers whose subscriptions were asked for again, under which claim."""
    customers = []

    def commit(claim, found, work):
        assert found is reads._current.get(), "what was read is what is committed"
        work()
        customers.append(claim)

    monkeypatch.setattr(writing, "commit_under", commit)
    monkeypatch.setattr("billing.subscriptions.refresh", lambda customer: customers.append(customer.pk))
    return customers


def at_price(price="price_old", quantity=3, end=AT, name="ada", **changes):
    paid = {**stripe_item(price, quantity, end), "id": f"si_{name}"}
    return stripe_subscription(f"sub_{name}", **{"items": [paid], "latest_invoice": None, **changes})


def writes(count=1):
    return [
        StripeWrite.objects.create(lane="cus_ada", object_id="cus_ada", action="move_price", requested_at=NOW)
        for _ in range(count)
    ]


def write(rows=None):
    rows = rows or writes()
    writing.write_prices(rows, "the claim")
    return standing_writes.key_of(rows)


def outcome(row):
    row.refresh_from_db()
    return row.status, row.due_at, row.reason, row.moved_at


MOVED, UNTOUCHED = ("moved", None, "", NOW), ("owed", NOW, "why", None)
REFRESHED = ["cus_ada", "the claim"]


@pytest.mark.parametrize(("quantity", "sent"), [(3, {"quantity": 3}), (None, {})])
def test_the_item_gets_the_new_price_for_as_many_and_without_proration(
    row, at_stripe, written, refreshed, quantity, sent
):
    at_stripe.append(at_price(quantity=quantity))
    key = write()
    items = [{"id": "si_ada", "price": "price_new", **sent}]
    assert written == [("/v1/subscriptions/sub_ada", f"{key}:{row.pk}", {"items": items, "proration_behavior": "none"})]
    assert (outcome(row), refreshed) == (MOVED, REFRESHED)


@pytest.mark.parametrize("status", sorted(set(PriceMoveRow.Status.values) - {"owed", "refused"}))
def test_what_is_not_owed_is_not_written_and_nothing_is_asked(row, at_stripe, written, refreshed, status):
    PriceMoveRow.objects.filter(pk=row.pk).update(status=status)
    at_stripe.append(at_price())
    write()
    assert (written, refreshed, outcome(row)) == ([], [], (status, *UNTOUCHED[1:]))


def test_what_stripe_refused_before_is_written_when_it_is_tried_again(row, at_stripe, written, refreshed):
    PriceMoveRow.objects.filter(pk=row.pk).update(status="refused")
    at_stripe.append(at_price())
    write()
    assert (len(written), outcome(row)) == (1, MOVED)


def test_a_stopped_move_writes_nothing(row, at_stripe, written, refreshed):
    PriceMove.objects.update(stopped_at=NOW)
    at_stripe.append(at_price())
    write()
    assert (written, refreshed, outcome(row)) == ([], [], UNTOUCHED)


def test_nothing_is_written_for_a_customer_of_nobody(row, at_stripe, written, refreshed):
    Customer.objects.filter(pk="cus_ada").update(subscriber=None)
    at_stripe.append(at_price())
    write(writes(2))
    assert (written, refreshed, outcome(row)) == ([], [], UNTOUCHED)


# What Stripe's answer decides


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        (None, "objected"),
        ({"status": "canceled"}, "objected"),
        ({"status": "incomplete_expired"}, "objected"),
        ({"cancel_at_period_end": True}, "objected"),
        ({"price": "price_third"}, "changed"),
        ({"price": "price_third", "cancel_at_period_end": True}, "objected"),
        ({"price": "price_third", "status": "unpaid"}, "changed"),
    ],
)
def test_what_has_ended_or_pays_another_price_is_not_written(row, at_stripe, written, refreshed, changes, status):
    if changes is not None:
        at_stripe.append(at_price(**changes))
    write()
    assert (written, refreshed, outcome(row)) == ([], REFRESHED, (status, None, "", None))


def test_what_pays_the_new_price_already_has_moved(row, at_stripe, written, refreshed):
    at_stripe.append(at_price("price_new"))
    write()
    assert (written, refreshed, outcome(row)) == ([], REFRESHED, MOVED)


@pytest.mark.parametrize(
    ("changes", "becomes"),
    [
        ({"end": AT - 86400}, ("told", NOW + HOUR, "An earlier renewal comes first.", None)),
        ({"status": "unpaid"}, ("told", NOW + DAY, "It is unpaid: nothing is charged.", None)),
    ],
)
def test_what_is_not_due_waits(row, at_stripe, written, refreshed, changes, becomes):
    at_stripe.append(at_price(**changes))
    write()
    assert (written, refreshed, outcome(row)) == ([], REFRESHED, becomes)


@pytest.mark.parametrize("price", ["price_old", "price_third"])
@pytest.mark.parametrize("by", ["update", "invoice"])
def test_while_a_change_of_plan_waits_for_its_payment_the_write_waits(
    row, at_stripe, written, refreshed, monkeypatch, by, price
):
    at_stripe.append(at_price(price, pending_update={"expires_at": AT} if by == "update" else None))
    if by == "invoice":
        awaited = lambda found, before: found["id"] == before.stripe_id == "sub_ada"  # noqa: E731
        monkeypatch.setattr("billing.subscriptions.awaited_change", awaited)
    with pytest.raises(ChangePending):
        write()
    assert (written, refreshed, outcome(row)) == ([], [], UNTOUCHED)


# Several, and refusals


@pytest.fixture
def second(move, row):
    """Another subscription of the same customer."""
    other = row_of(move, "cat", **OWED)
    other.subscription.customer_id, other.subscription.line = "cus_ada", "second"
    other.subscription.save()
    return other


def test_what_stripe_refuses_needs_a_person_and_the_others_are_written(
    row, second, at_stripe, written, refreshed, django_capture_on_commit_callbacks
):
    at_stripe += [at_price(), at_price(name="cat")]
    written.refusals["sub_ada"] = stripe.InvalidRequestError("No such tax rate", "items")
    refused = pytest.raises(standing_writes.GivenUp, match=r"^InvalidRequestError: No such tax rate$")
    with django_capture_on_commit_callbacks(execute=True), refused:
        write()
    assert outcome(row) == ("refused", None, "InvalidRequestError: No such tax rate", None)
    assert (outcome(second), len(written), refreshed) == (MOVED, 1, REFRESHED)
    assert "sub_ada" in Alert.objects.get().text


def test_each_refusal_is_noted_on_its_own_row_and_all_are_told(row, second, at_stripe, written, refreshed):
    at_stripe += [at_price(), at_price(name="cat")]
    for name in ("ada", "cat"):
        written.refusals[f"sub_{name}"] = stripe.InvalidRequestError(f"No {name}", "items")
    with pytest.raises(standing_writes.GivenUp, match=r"^InvalidRequestError: No ada InvalidRequestError: No cat$"):
        write()
    assert [outcome(each)[2] for each in (row, second)] == [
        "InvalidRequestError: No ada",
        "InvalidRequestError: No cat",
    ]


def test_a_customer_that_stripe_does_not_know_is_no_refusal_of_the_price(row, at_stripe, written, refreshed):
    at_stripe.append(at_price())
    written.refusals["sub_ada"] = NoSuchCustomer("No such customer", "customer")
    with pytest.raises(NoSuchCustomer):
        write()
    assert (outcome(row), refreshed) == (UNTOUCHED, [])


def test_what_was_listed_first_is_written_first(row, second, at_stripe, written, refreshed):
    at_stripe += [at_price(), at_price(name="cat")]
    PriceMoveRow.objects.filter(pk=row.pk).delete()
    PriceMoveRow.objects.create(move=row.move, subscription=row.subscription, **OWED)
    write()
    assert [path for path, *_ in written] == ["/v1/subscriptions/sub_cat", "/v1/subscriptions/sub_ada"]

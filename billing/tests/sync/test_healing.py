"""One customer held against Stripe: what differs is healed under the lane; a refusal is theirs alone."""

from datetime import timedelta

import pytest
import stripe
from django.utils import timezone

from billing import lanes
from billing.lifecycle import customers
from billing.models import Customer, Lane, StripeEvent, Subscription, SyncRun
from billing.stripe_client import StripeUnavailable
from billing.sync import healing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run():
    return SyncRun(mode="full", started_at=timezone.now(), clock_at=timezone.now())


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def ben(world):
    return world.subscribed(email="ben@example.com")


def look_at(run, *subscribers, is_dry=False):
    ticks = []
    customers = [one.customer for one in subscribers]
    healing.compare_customers(run, customers, lambda: ticks.append(run.compared), is_dry=is_dry)
    return ticks


def counts(run):
    return run.compared, run.drifted, run.healed


def test_who_is_as_at_stripe_is_counted_and_nothing_is_said_or_written(world, run, ada, ben):
    before = list(Subscription.objects.order_by("pk").values())
    world.heard.clear()
    assert look_at(run, ada, ben) == [1, 2]
    assert (counts(run), run.drifts, run.notes, world.heard) == ((2, 0, 0), [], [], [])
    assert list(Subscription.objects.order_by("pk").values()) == before


def test_who_differs_is_healed_and_a_bystander_is_not_touched(world, run, ada, ben):
    Subscription.objects.filter(customer=ada.customer).update(status="canceled", quantity=7)
    bens = Subscription.objects.filter(customer=ben.customer).values().get()
    look_at(run, ada, ben)
    assert counts(run) == (2, 2, 2)
    assert {(drift["customer"], drift["field"], drift["cause"]) for drift in run.drifts} == {
        (ada.customer, "status", "unknown"), (ada.customer, "quantity", "unknown"),
    }  # fmt: skip
    assert (ada.row.status, ada.row.quantity) == ("active", 1)
    assert Subscription.objects.filter(customer=ben.customer).values().get() == bens
    assert world.said(ben) == []


def test_a_dry_run_counts_what_it_would_heal_and_takes_no_lane(run, ada):
    Subscription.objects.update(quantity=7)
    Lane.objects.filter(pk=ada.customer).update(token="0" * 32, leased_until=timezone.now() + timedelta(minutes=5))
    look_at(run, ada, is_dry=True)
    assert (counts(run), ada.row.quantity) == ((1, 1, 0), 7)


def test_the_cause_is_looked_for_only_where_something_differs(run, ada, ben):
    StripeEvent.objects.filter(lane=ada.customer, type="invoice.paid").update(status="failed")
    Subscription.objects.filter(customer=ada.customer).update(quantity=7)
    look_at(run, ada, ben)
    assert [drift["cause"].split()[:2] for drift in run.drifts] == [["failed", "event"]]


def test_whose_lane_another_holds_is_left_to_them_uncounted_and_the_next_is_looked_at(run, ada, ben, monkeypatch):
    monkeypatch.setattr(healing, "WAIT_SECONDS", 0.05)
    Subscription.objects.update(quantity=7)
    assert lanes.take(ada.customer)
    look_at(run, ada, ben)
    assert (counts(run), run.notes) == ((1, 1, 1), [])
    assert (ada.row.quantity, ben.row.quantity) == (7, 1)


@pytest.mark.parametrize("is_dry", [False, True])
def test_whom_stripe_refuses_is_noted_with_its_words_and_the_next_is_looked_at(world, run, ada, ben, is_dry):
    stranger = Customer.objects.create(pk="cus_nobody")
    Subscription.objects.create(customer=stranger, stripe_id="sub_nobody", status="active")
    refused = type("Refused", (), {"customer": "cus_nobody"})
    Subscription.objects.filter(customer=ben.customer).update(quantity=7)
    look_at(run, refused, ben, is_dry=is_dry)
    assert counts(run)[1:] == (1, 0 if is_dry else 1)
    assert [note.split(":")[0] for note in run.notes] == ["cus_nobody"]
    assert len(run.notes[0]) > len("cus_nobody: ")


def test_a_stripe_that_is_away_ends_it(world, run, ada, ben):
    with world.down(), pytest.raises(StripeUnavailable):
        look_at(run, ada, ben)
    assert counts(run) == (0, 0, 0)


def test_the_lane_is_free_again_afterwards(run, ada):
    look_at(run, ada)
    assert Lane.objects.get(pk=ada.customer).token is None
    assert lanes.take(ada.customer)


def test_who_was_deleted_at_stripe_is_ended_once(world, run, ada, ben):
    world.stripe("DELETE", f"customers/{ada.customer}")
    look_at(run, ada, ben)
    assert [(drift["field"], drift["ours"], drift["theirs"]) for drift in run.drifts] == [
        ("deleted_at", None, "deleted at Stripe")
    ]
    assert (counts(run), world.said(ada).count("customer_deleted")) == ((2, 1, 1), 1)
    assert Customer.objects.get(pk=ada.customer).deleted_at
    assert Customer.objects.get(pk=ben.customer).deleted_at is None
    look_at(run, ada)
    assert (counts(run), world.said(ada).count("customer_deleted"), world.said(ben)) == ((3, 1, 1), 1, [])


def test_an_address_that_was_removed_at_stripe_is_a_difference_and_is_removed(world, run, ada):
    world.stripe("POST", f"customers/{ada.customer}", email="")
    look_at(run, ada)
    assert counts(run) == (1, 1, 1)
    assert Customer.objects.get(pk=ada.customer).email == ""
    look_at(run, ada)
    assert counts(run) == (2, 1, 1)


def test_another_address_at_stripe_is_a_difference_and_is_taken(world, run, ada):
    world.stripe("POST", f"customers/{ada.customer}", email="new@example.com")
    look_at(run, ada)
    assert counts(run) == (1, 1, 1)
    assert Customer.objects.get(pk=ada.customer).email == "new@example.com"


@pytest.mark.parametrize("is_dry", [False, True])
def test_who_never_subscribed_and_is_not_deleted_differs_in_nothing(world, run, ada, is_dry):
    customer = customers.customer_for(world.sign_up("new@example.com"))
    healing.compare_customers(run, [customer.pk, ada.customer], lambda: None, is_dry=is_dry)
    assert (counts(run), run.drifts, run.notes) == ((2, 0, 0), [], [])


@pytest.mark.parametrize(
    ("said", "noted"),
    [
        ({"message": "No such customer", "code": "resource_missing"}, "No such customer"),
        ({"message": None, "code": "resource_missing"}, "resource_missing"),
        ({"message": None, "code": None}, "InvalidRequestError"),
    ],
)
@pytest.mark.django_db
def test_a_refusal_is_noted_by_stripes_words_or_its_code_or_its_kind(run, monkeypatch, said, noted):
    def refuse(customer, is_owing):
        raise stripe.InvalidRequestError(said["message"], "id", code=said["code"])

    monkeypatch.setattr(healing, "_heal", refuse)
    ticks = []
    healing.compare_customers(run, ["cus_1"], lambda: ticks.append(1), is_dry=False)
    assert (run.notes, counts(run), ticks) == ([f"cus_1: {noted}"], (0, 0, 0), [1])

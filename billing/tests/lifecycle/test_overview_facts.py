"""Each fact of an overview is shown to its own subscriber where it applies, and to nobody where it does not."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing import access, usage
from billing.lifecycle import overview
from billing.lifecycle.overview import CollectionPause, Credit, Overview, PendingChange, overview_of, overviews_of
from billing.lifecycle.owed import Owed
from billing.models import (
    Customer,
    Discount,
    Grant,
    Hold,
    Invoice,
    NextCharge,
    Plan,
    Price,
    StripeWrite,
    Subscription,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PRO = Plan(slug="pro", name="Pro", rank=1)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOON, tick=False):
        yield


def shown(subscription=None, grants=(), reason="x", *, has_access=False, owed=(), **more):
    decided = access.Access(has_access=has_access, reason=reason, subscription=subscription, grants=grants, **more)
    return Overview(decided, None, [], {}, NOON, owed=list(owed))


@pytest.mark.parametrize(("price", "count"), [(Price(plan=PRO, interval="month", interval_count=3), 3), (None, 1)])
def test_a_change_says_by_how_many_intervals_it_is_charged(price, count):
    assert PendingChange("scheduled", price, NOON, "").interval_count == count


def test_the_invoice_that_access_depends_on_is_the_unpaid_one():
    older, own = Owed(Invoice(pk="in_1"), "/1"), Owed(Invoice(pk="in_2"), "/2", access_depends=True)
    assert shown(owed=[older, own]).unpaid is own
    assert shown(owed=[older]).unpaid is shown().unpaid is None


def test_what_is_decided_is_shown(monkeypatch):
    row = Subscription(status="past_due")
    late = shown(row, line="support", grace_ends_at=NOON, reason="grace", has_access=True)
    assert (late.line, late.grace_ends_at, late.reason) == ("support", NOON, "grace")
    monkeypatch.setattr(access, "access_ends_at", lambda decided: decided is late.decided and NOON)
    assert late.access_ends_at == NOON
    assert shown(reason="grant", has_access=True).grant_ends_at is None


@pytest.mark.parametrize(
    ("cancel_at", "end", "renews"),
    [
        (NOON + SECOND, NOON, True),
        (NOON, NOON, False),
        (NOON - SECOND, NOON, False),
        (None, NOON, False),
        (NOON, None, False),
    ],
)
def test_it_renews_before_an_end_that_is_later_than_the_period(cancel_at, end, renews):
    assert shown(Subscription(cancel_at=cancel_at, current_period_end=end)).renews_before_end is renews


FREE = Price(unit_amount=0, currency="usd")


@pytest.mark.parametrize(
    ("columns", "needs"),
    [
        ({}, True),
        ({"status": "trialing"}, True),
        ({"status": "paused"}, True),
        ({"status": "paused", "price": FREE, "currency": "usd"}, True),
        ({"status": "past_due"}, False),
        ({"status": "canceled"}, False),
        ({"has_payment_method": True}, False),
        ({"has_payment_method": None}, False),
        ({"collection_method": Invoice.SENT}, False),
        ({"price": FREE, "currency": "usd"}, False),
    ],
)
def test_a_card_is_needed_for_what_is_charged_by_itself_and_known_to_have_none(columns, needs):
    assert shown(Subscription(**{"status": "active", "has_payment_method": False, **columns})).needs_card is needs
    assert shown().needs_card is False


def test_a_credit_is_shown_where_there_is_one():
    rows = [Subscription(customer=Customer(pk="cus_1", balance=balance, currency="usd")) for balance in (-500, 0)]
    assert [shown(row).credit for row in (*rows, None)] == [Credit(500, "usd"), None, None]


@pytest.mark.parametrize(
    ("columns", "until"),
    [
        ({}, NOON + DAY),
        ({"price": None}, NOON),
        ({"collection_resumes_at": None}, None),
        ({"collection_resumes_at": NOON + DAY}, NOON + DAY),
        ({"collection_paused": ""}, ""),
        ({"status": "canceled"}, ""),
        ({"status": "unpaid"}, NOON + DAY),
    ],
)
def test_a_pause_of_payments_lasts_until_the_renewal_after_it(columns, until):
    usual = {"status": "active", "collection_paused": "void", "collection_resumes_at": NOON, "paid_until": NOON + DAY,
             "price": Price(interval="month"), "current_period_end": NOON + DAY}  # fmt: skip
    paused = shown(Subscription(**{**usual, **columns})).collection_paused
    assert paused == (None if until == "" else CollectionPause(until, NOON + DAY))
    assert shown().collection_paused is None


def test_who_may_only_look_is_shown_what_is_owed_and_no_page_of_it():
    owed = Owed(Invoice(pk="in_1"), "/pay", "/pdf", access_depends=True)
    seen = shown(owed=[owed]).to_look_at()
    assert seen.owed == [Owed(owed.row, "", "", access_depends=True)]
    assert (seen.pending_change, owed.page) == (None, "/pay")


# The last charge of what ends


def last_charge(**changes):
    held = Subscription(pk=1, status="active", cancel_at=NOON, current_period_end=NOON)
    for name, value in changes.items():
        setattr(held, name, value)
    lines = {"calls": held, "exports": Subscription(pk=2)}
    features = [SimpleNamespace(feature=name, amount=each) for name, each in (("calls", 40), ("exports", 7), ("x", 2))]
    return held, overview._last_charge(
        held, SimpleNamespace(overage=lines), SimpleNamespace(features=features, currency="eur")
    )


@pytest.mark.parametrize(
    ("changes", "is_charged"),
    [
        ({}, True),
        ({"status": "trialing"}, True),
        ({"cancel_at": NOON - SECOND}, True),
        ({"cancel_at": NOON + SECOND}, False),
        ({"cancel_at": None}, False),
        ({"current_period_end": None}, False),
        ({"status": "past_due"}, False),
        ({"status": "canceled"}, False),
    ],
)
def test_what_ends_with_its_period_bills_its_own_use_beyond_the_limits_then(changes, is_charged):
    held, charge = last_charge(**changes)
    if not is_charged:
        assert charge is None
        return
    assert (charge.subscription, charge.amount, charge.currency, charge.at) == (held, 40, "eur", NOON)


def test_nothing_is_billed_last_where_nothing_was_used_beyond_or_there_is_nothing():
    held = Subscription(pk=1, status="active", cancel_at=NOON, current_period_end=NOON)
    granted, nothing = SimpleNamespace(overage={}), SimpleNamespace(features=[], currency="eur")
    assert overview._last_charge(held, granted, nothing) is overview._last_charge(held, granted, None) is None
    assert overview._last_charge(None, granted, nothing) is None


# Rows


@pytest.fixture
def people(db):
    plan = Plan.objects.create(slug="shown", name="Shown", rank=100)
    other = Plan.objects.create(slug="beside", name="Beside", rank=100, line="support")
    for each in (plan, other):
        Price.objects.create(pk=f"price_{each.slug}", plan=each, currency="usd", unit_amount=1, interval="month")
    Price.objects.create(pk="price_0", plan=other, currency="usd", unit_amount=1, interval="year")
    return [subscriber(name) for name in ("ada", "ben")]


def subscriber(name):
    user = get_user_model().objects.create_user(f"{name}@example.com")
    subscribed(Customer.objects.create(pk=f"cus_{name}", subscriber=user), f"sub_{name}")
    return user


def subscribed(customer, name, plan="shown", **more):
    usual = {"status": "active", "counts": True, "plan": Plan.objects.get(slug=plan), "price_id": f"price_{plan}",
             "current_period_end": NOON + DAY, "billing_cycle_anchor": NOON - DAY}  # fmt: skip
    return Subscription.objects.create(customer=customer, stripe_id=name, **{**usual, **more})


def of(user, **columns):
    Subscription.objects.filter(customer__subscriber=user).update(**columns)
    return overview_of(user)


def test_a_hold_of_one_subscription_is_shown_with_that_one_alone(people):
    ada, _ = people
    for number, whose in enumerate(("", "sub_ada", "sub_else")):
        Hold.objects.create(customer_id="cus_ada", kind="staff", reference=str(number), subscription_id=whose,
                            placed_at=NOON)  # fmt: skip
    assert {hold.reference for hold in overview_of(ada).holds} == {"0", "1"}
    Subscription.objects.filter(stripe_id="sub_ada").delete()
    assert {hold.reference for hold in overview_of(ada).holds} == {"0"}


def test_the_plan_is_the_one_in_effect_else_the_free_one_of_its_line(people, settings):
    ada, _ = people
    settings.BILLING_FREE_PLAN = "gratis"
    free = Plan.objects.create(slug="gratis", name="Gratis", rank=0)
    assert overview_of(ada).effective_plan.slug == "shown"
    assert of(ada, status="canceled").effective_plan == free
    assert overview_of(ada, "support").effective_plan is None


def test_what_we_are_cancelling_charges_and_changes_nothing_more(people, monkeypatch):
    ada, ben = people
    for user in people:
        of(user, pending_kind="scheduled", pending_price_id="price_shown", pending_at=NOON + 2 * DAY,
           cancel_at=NOON + DAY)  # fmt: skip
        row = Subscription.objects.get(customer__subscriber=user)
        NextCharge.objects.create(subscription=row, amount=700, currency="usd", at=NOON + DAY)
    monkeypatch.setattr(overview.price_moves, "coming_of", lambda held: held and f"of {held.stripe_id}")
    StripeWrite.objects.create(action="cancel_subscription", object_id="sub_ada", lane="cus_ada", requested_at=NOON)
    ends, stays = overview_of(ada), overview_of(ben)
    assert (ends.is_cancelling, ends.next_charge, ends.pending_change, ends.coming_price) == (True, None, None, None)
    assert (stays.is_cancelling, stays.next_charge.amount, stays.pending_change.kind, stays.coming_price) == (
        False, 700, "scheduled", "of sub_ben")  # fmt: skip
    monkeypatch.setattr(overview, "_last_charge", lambda held, *_: f"last of {held.stripe_id}")
    assert (overview_of(ada).next_charge, overview_of(ben).next_charge.amount) == (None, 700)
    NextCharge.objects.all().delete()
    assert (overview_of(ada).next_charge, overview_of(ben).next_charge) == (None, "last of sub_ben")


def test_only_a_row_that_lives_is_being_cancelled(people):
    StripeWrite.objects.create(action="cancel_subscription", object_id="sub_ada", lane="cus_ada", requested_at=NOON)
    row, unsaved = Subscription.objects.get(stripe_id="sub_ada"), Subscription(stripe_id="sub_ada", status="active")
    assert (overview._is_cancelling(row), overview._is_cancelling(unsaved)) == (True, False)
    row.status = "canceled"
    assert overview._is_cancelling(row) is False
    assert of(people[0], status="canceled").is_cancelling is False


def test_discounts_are_shown_while_it_lives(people):
    ada, ben = people
    row = Subscription.objects.get(stripe_id="sub_ada")
    discount = Discount.objects.create(customer_id="cus_ada", subscription=row, stripe_id="di_1", starts_at=NOON)
    assert (overview_of(ada).discounts, overview_of(ben).discounts) == ([discount], [])
    assert of(ada, status="canceled").discounts == []


def test_an_address_that_is_lacking_is_lacking_to_its_own_subscriber(people):
    ada, ben = people
    assert of(ada, lacks_address=True).lacks_address is True
    assert overview_of(ben).lacks_address is overview_of(None).lacks_address is False


def test_a_change_of_add_ons_alone_has_no_price_and_another_has_its_own(people):
    ada, _ = people
    change = of(ada, pending_kind="scheduled", pending_at=NOON, pending_add_ons={"seats": 2}).pending_change
    assert (change.price, change.add_ons) == (None, {"seats": 2})
    assert of(ada, pending_price_id="price_shown").pending_change.price.pk == "price_shown"
    assert overview._pending_change(None) is None


def test_each_line_that_lives_has_its_overview_and_the_one_meant_by_default_is_first(people):
    ada, ben = people
    beside = subscribed(Customer.objects.get(pk="cus_ada"), "sub_beside", "beside", line="support")
    assert [each.line for each in overviews_of(ada)] == ["main", "support"]
    assert [each.subscription.stripe_id for each in overviews_of(ada)] == ["sub_ada", "sub_beside"]
    Subscription.objects.filter(pk=beside.pk).update(status="canceled")
    assert [each.line for each in overviews_of(ada)] == ["main"]
    assert [each.reason for each in overviews_of(None)] == ["no_subscriber"]
    assert [each.subscription.stripe_id for each in overviews_of(ben)] == ["sub_ben"]


def test_what_is_billed_of_add_ons_is_of_the_subscription_that_is_shown(people, monkeypatch):
    monkeypatch.setattr(overview, "held_by", lambda row: row and row.stripe_id)
    assert (overview_of(people[0]).add_ons, shown().add_ons) == ("sub_ada", None)
    assert usage.allowance(people[0]).period_end == overview_of(people[0]).resets_at


def test_a_grant_that_something_outweighs_is_no_end(people):
    given = (Grant(plan=PRO, until=NOON),)
    assert shown(grants=given, reason="active", has_access=True).grant_ends_at is None

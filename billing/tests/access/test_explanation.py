"""An explanation tells what was known at its moment, from both sides of that moment, and nothing of a bystander."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing import access
from billing.access import explanation
from billing.models import (
    AccountDeletion,
    Customer,
    Grant,
    Hold,
    Plan,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FIELDS = ("holds", "changes", "events", "grants")


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK, settings.TIME_ZONE = "", "UTC"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def plans():
    return {
        line: Plan.objects.create(slug=f"told_{line}", name=f"Told {line}", rank=7, line=line)
        for line in ("main", "storage")
    }


def person(name):
    user = get_user_model().objects.create_user(f"{name}@example.com")
    customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user, email=user.email)
    Customer.objects.filter(pk=customer.pk).update(created_at=NOW - 90 * DAY)
    return user


@pytest.fixture
def ada():
    return person("ada")


def hold(name, placed_at=NOW - DAY, **columns):
    usual = {"kind": "staff", "reference": "case 7", "placed_at": placed_at}
    return Hold.objects.create(customer_id=f"cus_{name}", **{**usual, **columns})


def change(name, recorded_at=NOW - DAY, **columns):
    usual = {"stripe_id": f"sub_{name}", "status": "active"}
    return SubscriptionChange.objects.create(customer_id=f"cus_{name}", recorded_at=recorded_at, **{**usual, **columns})


def event(name, number=1, at=NOW - DAY):
    return StripeEvent.objects.create(
        pk=f"evt_{name}_{number}", type="invoice.paid", created=int(at.timestamp()), received_at=at, livemode=False,
        lane=f"cus_{name}", payload={},
    )  # fmt: skip


def grant(user, plan, granted_at=NOW - DAY, **columns):
    usual = {"source": f"prize-{Grant.objects.count()}", "plan": plan}
    return Grant.objects.create(subscriber=user, granted_at=granted_at, **{**usual, **columns})


def subscribed(name, plan, **columns):
    usual = {"stripe_id": f"sub_{name}", "status": "active", "plan": plan}
    return Subscription.objects.create(customer_id=f"cus_{name}", **{**usual, **columns})


@pytest.fixture
def ben(plans):
    """A bystander with something of each kind."""
    user = person("ben")
    hold("ben"), change("ben"), event("ben"), grant(user, plans["main"])
    subscribed("ben", plans["main"])
    AccountDeletion.objects.create(customer_id="cus_ben", subscriber=user, lane="cus_ben", requested_at=NOW - DAY)
    return user


def of(user, at=NOW):
    told = access.explain(user, at)
    return [[row.pk for row in getattr(told, name)] for name in FIELDS]


def test_nothing_of_another_is_told(ada, ben):
    for told in (access.explain(ada), access.explain(ada, NOW)):
        assert [getattr(told, name) for name in FIELDS] == [[], [], [], []]
        assert (told.deletion, told.has_access, told.status, told.plan) == (None, False, "none", "")
        assert str(told).splitlines()[1:] == [
            "There is no subscription; the free plan is in effect.",
            "No payment is overdue.",
            "Stripe sent no event about this customer until then.",
        ]


def test_what_began_by_then_is_told_and_what_began_later_is_not(ada, ben, plans):
    rows = []
    for number, at in enumerate((NOW, NOW + SECOND)):
        held, changed = hold("ada", at, reference=str(number)), change("ada", at)
        rows.append((held, changed, event("ada", number, at), grant(ada, plans["main"], at)))
    assert of(ada) == [[row.pk] for row in rows[0]]
    assert of(ada, NOW - SECOND) == [[], [], [], []]
    assert len(of(ada, NOW + SECOND)[0]) == 2


@pytest.mark.parametrize(("over", "is_told"), [(NOW + SECOND, True), (NOW, False), (NOW - SECOND, False)])
def test_what_was_over_by_then_is_told_no_more(ada, ben, plans, over, is_told):
    held, given = hold("ada", released_at=over), grant(ada, plans["main"], ended_at=over)
    holds, _, _, grants = of(ada)
    assert (holds, grants) == (([held.pk], [given.pk]) if is_told else ([], []))


def test_the_latest_five_are_told_newest_first_and_holds_and_grants_oldest_first(ada, ben, plans):
    days = [NOW - number * DAY for number in (3, 1, 6, 2, 5, 4)]
    for number, at in enumerate(days):
        hold("ada", at, reference=str(number)), change("ada", at), event("ada", number, at)
        grant(ada, plans["main"], at)
    told = access.explain(ada, NOW)
    newest = sorted(days, reverse=True)
    assert [row.recorded_at for row in told.changes] == newest[:5]
    assert [row.created for row in told.events] == [int(at.timestamp()) for at in newest[:5]]
    assert [row.placed_at for row in told.holds] == [row.granted_at for row in told.grants] == newest[::-1]


# The sentences


def test_a_subscription_that_gives_its_plan_is_told_with_all_that_was_known(ada, ben, plans):
    subscribed("ada", plans["main"])
    change("ada", plan=plans["main"]), change("ada", NOW - 2 * DAY, status="incomplete"), event("ada")
    told = access.explain(ada)
    assert (told.has_access, told.reason, told.status, told.plan) == (True, "active", "active", "told_main")
    assert (told.grace_since, told.grace_ends_at) == (None, None)
    lines = str(told).splitlines()
    assert lines[0].startswith(f"On 10 Mar 2027, 12:00, {ada} (cus_ada) has access (active). ")
    assert lines[1:] == [
        "The subscription sub_ada to Told main is active, and its plan is in effect.",
        "No payment is overdue.",
        "What we knew, newest first:",
        "  9 Mar 2027, 12:00: active on Told main",
        "  8 Mar 2027, 12:00: incomplete",
        "Stripe's last events:",
        "  9 Mar 2027, 12:00: invoice.paid (received)",
    ]


@pytest.mark.parametrize(("days", "ends"), [(1, "ends"), (60, "ended")])
def test_an_overdue_payment_is_told_with_the_end_of_its_grace(ada, ben, plans, days, ends):
    subscribed("ada", plans["main"], status="past_due", past_due_since=NOW - days * DAY)
    told = access.explain(ada)
    assert told.has_access is (ends == "ends")
    assert told.grace_since == NOW - days * DAY
    assert f"A payment is overdue: grace counts from {explanation.moment(told.grace_since)} and {ends} " in str(told)


def test_a_subscription_without_its_plan_says_what_is_in_effect(ada, ben, plans):
    subscribed("ada", None, status="canceled")
    assert "The subscription sub_ada to a price without a plan is canceled, but the free plan is in effect." in str(
        access.explain(ada)
    )
    given = grant(ada, plans["main"], reason="A prize.", until=NOW + DAY)
    told = str(access.explain(ada))
    assert "but Told main is in effect." in told
    assert "since 9 Mar 2027, 12:00: A prize." in told.splitlines()[3]
    assert ".." not in told
    assert explanation._grant_sentence(Grant(source="x", plan=given.plan, granted_at=NOW)).endswith(": no reason.")


def test_a_hold_is_told_with_its_reason_or_its_reference_and_holds_its_own_subscription(ada, ben, plans):
    subscribed("ada", plans["main"])
    subscribed("ada", plans["storage"], stripe_id="sub_storage", line="storage")
    hold("ada", reason="Found out.", subscription_id="sub_ada")
    told = access.explain(ada)
    assert not told.has_access
    assert (list(told.others), told.others["storage"].has_access) == (["storage"], True)
    assert "Access is on hold since 9 Mar 2027, 12:00: Staff, Found out." in str(told)
    assert "In the line storage: active. " in str(told)
    of_all = hold("ada", kind="dispute", reference="dp_1")
    told = access.explain(ada)
    assert not told.others["storage"].has_access
    assert "Dispute, for dp_1." in str(told)
    assert of_all in told.holds


def test_a_grant_in_another_line_is_a_line_of_its_own_and_of_a_feature_is_none(ada, ben, plans):
    subscribed("ada", plans["main"])
    grant(ada, plans["main"]), grant(ada, plans["storage"]), grant(ada, None, feature="projects", quantity=1)
    assert list(access.explain(ada).others) == ["storage"]


# Deleted


@pytest.mark.parametrize(("requested_at", "is_told"), [(NOW, True), (NOW + SECOND, False)])
def test_a_deletion_is_told_from_its_request_on(ada, ben, plans, requested_at, is_told):
    subscribed("ada", plans["main"])
    row = AccountDeletion.objects.create(
        customer_id="cus_ada", subscriber=ada, lane="cus_ada", requested_at=requested_at
    )
    told = access.explain(ada, NOW)
    assert (told.deletion, told.has_access) == ((row, False) if is_told else (None, True))
    assert ("Deletion of the account was requested on 10 Mar 2027, 12:00; it waits for Stripe" in str(told)) is is_told
    AccountDeletion.objects.filter(pk=row.pk).update(done_at=NOW)
    assert ("it is finished." in str(access.explain(ada, NOW))) is is_told


def test_a_customer_of_nobody_is_told_by_address_or_by_what_became_of_them(ada, ben, plans):
    customer = Customer.objects.create(pk="cus_eve", is_current=True)
    subscribed("eve", plans["main"])
    AccountDeletion.objects.create(customer=customer, lane="cus_eve", requested_at=NOW)
    who = [access.explain_customer(customer).who]
    assert access.explain_customer(customer).deletion is not None
    for columns in ({"deleted_at": NOW}, {"email": "eve@example.com"}):
        Customer.objects.filter(pk="cus_eve").update(**columns)
        who.append(access.explain_customer(customer).who)
    assert who == ["nobody's customer (cus_eve)", "somebody deleted (cus_eve)", "eve@example.com (cus_eve)"]
    assert access.explain_customer(Customer.objects.get(pk="cus_ada")).who == f"{ada} (cus_ada)"


@pytest.mark.parametrize(("deleted_at", "has_access"), [(NOW + SECOND, True), (NOW, False)])
def test_a_customer_who_was_deleted_later_is_told_as_before(ben, plans, deleted_at, has_access):
    customer = Customer.objects.create(pk="cus_eve")
    Customer.objects.filter(pk="cus_eve").update(created_at=NOW - DAY, deleted_at=deleted_at)
    subscribed("eve", plans["main"])
    told = access.explain_customer(customer, NOW)
    assert (told.decided.subscription.customer.deleted_at is None) is has_access


def test_somebody_who_is_not_saved_has_nothing(ben):
    told = access.explain(get_user_model()(email="new@example.com"))
    assert (told.who, told.has_access, told.grants) == ("new@example.com", False, [])

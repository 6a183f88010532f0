"""A subscriber has had several Stripe customers: all are theirs, and one is current."""

from threading import Event
from time import sleep

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone

from billing import access, grants, lanes, testing
from billing.lifecycle import attempts, change, checkout, deletion, invoices, overview
from billing.lifecycle.customers import customer_for
from billing.lifecycle.live_subscription import customer_of
from billing.models import AccountDeletion, AnnouncedAccess, CheckoutAttempt, Customer, Hold, Plan, Price, Subscription
from billing.subscriptions import announce_access, customer_details, holds, seats
from billing.tests.parallel import at_once
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    return world.subscribed()


def gone_at_stripe(world, subscriber):
    world.stripe("DELETE", f"customers/{subscriber.customer}")
    world.deliver()


def buy(world, subscriber, plan="pro", currency=""):
    """Buy anew, and return the new customer."""
    attempt = checkout.start(subscriber.user, plan, "month", currency)
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    world.deliver()
    return attempt.customer


def test_deleted_at_stripe_it_stays_theirs_and_they_buy_by_a_new_one(world, ada):
    gone_at_stripe(world, ada)
    old = Customer.objects.get(pk=ada.customer)
    assert (old.subscriber, old.is_current, access.of(ada.user).reason) == (ada.user, True, "customer_deleted")
    new = buy(world, ada)
    assert {row.pk: row.is_current for row in Customer.objects.all_of(ada.user)} == {new.pk: True, ada.customer: False}
    now = access.of(ada.user)
    assert (now.reason, now.subscription.customer_id) == ("active", new.pk)
    assert AnnouncedAccess.objects.get().is_granted
    assert world.heard.count(("access_granted", new.pk)) == 1


def test_no_trial_is_given_twice_over_a_deleted_customer(world):
    ada = world.subscribed("team")
    assert ada.row.status == "trialing"
    gone_at_stripe(world, ada)
    new = buy(world, ada, "team")
    assert new.subscription.status == "active"


def test_a_hold_of_everything_goes_along_and_staff_can_release_it(world, ada):
    holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7")
    gone_at_stripe(world, ada)
    with pytest.raises(checkout.AccessWithheld):
        checkout.start(ada.user, "pro", "month")
    holds.release(Customer.objects.get(pk=ada.customer), Hold.Kind.STAFF, "case 7")
    assert checkout.start(ada.user, "pro", "month").url


def test_what_has_ended_keeps_nobody_to_its_currency_and_what_lives_does(world, ada):
    assert customer_for(ada.user, "usd").pk == ada.customer
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert customer_for(ada.user, "eur").pk == ada.customer
    Subscription.objects.filter(stripe_id=ada.subscription).update(status="paused")
    assert customer_for(ada.user, "eur").pk != ada.customer


@pytest.fixture
def both(world, ada):
    """She pays for pro in dollars, and for storage in euros by another customer."""
    plan = Plan.objects.create(slug="storage", name="Storage", line="storage", rank=1)
    product = world.stripe("POST", "products", name="Storage")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=500, recurring={"interval": "month"},
        currency_options={"eur": {"unit_amount": 450}}, lookup_key="storage_month",
    )  # fmt: skip
    Price.objects.create(
        pk=price["id"], plan=plan, product=product, lookup_key="storage_month", currency="usd", unit_amount=500,
        interval="month", currency_options={"eur": 450},
    )  # fmt: skip
    return buy(world, ada, "storage", "eur")


def test_in_another_currency_another_customer_buys_and_each_subscription_is_changed_where_it_is(world, ada, both):
    assert both.pk != ada.customer
    assert {row.pk: row.is_current for row in Customer.objects.all_of(ada.user)} == {both.pk: True, ada.customer: False}
    assert {line: now.reason for line, now in access.lines_of(ada.user).items()} == {
        "main": "active",
        "storage": "active",
    }
    assert change.change(ada.user, "team", "month").customer_id == ada.customer
    with pytest.raises(checkout.AlreadySubscribed):
        checkout.start(ada.user, "pro", "month", "eur")
    assert (customer_of(ada.user), customer_of(ada.user, "main").pk) == (both, ada.customer)


def test_invoices_of_all_are_listed_newest_first_through_all_pages(world, ada, both):
    """The customer that has shown all of its invoices is not asked for more."""
    world.advance(days=65)
    one_off(world, both.pk)
    theirs = [
        row
        for customer in (both.pk, ada.customer)
        for row in world.stripe("GET", "invoices", customer=customer)["data"]
    ]
    newest_first = [row["id"] for row in sorted(theirs, key=lambda row: -row["created"])]
    assert len(newest_first) == 7
    for limit in (1, 2, 3, 6, 7, 100):
        found, after, calls = [], "", []
        while after is not None:
            before = world.calls()["total"]
            page = invoices.invoices_of(ada.user, after, limit)
            calls.append(world.calls()["total"] - before)
            found += [invoice.id for invoice in page.invoices]
            after = page.next
        assert found == newest_first
        assert max(calls) == 2
        assert len(calls) == -(-7 // limit)
        assert calls[-1] == 1 or limit > 3


def one_off(world, customer):
    """Invoice something beside the plans, which is paid at once."""
    world.stripe("POST", "invoiceitems", customer=customer, amount=300, currency="eur")
    invoice = world.stripe("POST", "invoices", customer=customer, auto_advance="true")
    world.stripe("POST", f"invoices/{invoice['id']}/pay")


def test_an_earlier_customer_whom_stripe_does_not_know_hides_no_invoice_of_the_others(ada, both):
    Customer.objects.filter(pk=ada.customer).update(missing_since=timezone.now())
    assert [invoice.currency for invoice in invoices.invoices_of(ada.user).invoices] == ["eur"]


def test_what_is_owed_shows_all(world, ada, both, client):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    assert [owed.currency for owed in overview.overview_of(ada.user).owed] == ["usd"]
    client.force_login(ada.user)
    page = client.get("/billing/").content.decode()
    assert "€" in page
    assert "$" in page


def test_a_deletion_cancels_at_all_of_them_and_is_done_after_the_last(world, ada, both):
    grants.grant(ada.user, plan="team", source="promo")
    deletion.begin(ada.user)
    testing.work()
    assert AccountDeletion.objects.filter(part_of=deletion.deletion_of(ada.user)).count() == 1
    assert all(row.is_done for row in AccountDeletion.objects.all())
    assert set(Subscription.objects.values_list("status", flat=True)) == {"canceled"}
    assert not Customer.objects.exclude(subscriber=None).exists()
    assert deletion.deletion_of(ada.user).customer_id == both.pk
    for customer in (ada.customer, both.pk):
        assert world.stripe("GET", f"customers/{customer}")["deleted"]


def test_where_two_of_them_give_the_same_line_the_better_counts_and_no_end_is_said_while_one_lasts(world, ada):
    gone = Customer.objects.create(pk="cus_import", subscriber=ada.user, is_current=False)
    team = Plan.objects.get(slug="team")
    Subscription.objects.create(customer=gone, stripe_id="sub_2", status="active", plan=team)
    assert access.of(ada.user).plan == team
    assert access.has_access(ada.user, plan="team")
    world.heard.clear()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert "access_revoked" not in world.said(ada)
    assert access.of(ada.user).subscription.stripe_id == "sub_2"
    assert str(access.explain(ada.user)).count("sub_2") == 1


def test_one_is_current_and_a_user_whom_stripe_may_bill_is_not_deleted(world, ada):
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.create(pk="cus_2", subscriber=ada.user)
    with pytest.raises(ProtectedError):
        ada.user.delete()
    gone_at_stripe(world, ada)
    ada.user.delete()
    with pytest.raises(ObjectDoesNotExist):
        ada.user.refresh_from_db()
    assert Customer.objects.get().subscriber is None


@pytest.mark.postgres_only
@pytest.mark.parametrize("has_changed", [True, False], ids=["an end", "a lapse"])
def test_of_two_lanes_at_the_same_moment_the_second_sees_what_the_first_wrote(world, has_changed):
    user = world.sign_up()
    team = Plan.objects.get(slug="team")
    for name, status, is_current in (("one", "active", True), ("two", "incomplete", False)):
        customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user, is_current=is_current)
        Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", status=status, plan=team)
    AnnouncedAccess.objects.create(subscriber=user, is_granted=True)
    has_announced = Event()

    def change(name, status, *, waits):
        with transaction.atomic():
            Subscription.objects.filter(stripe_id=f"sub_{name}").update(status=status)
            if waits:
                announce_access(f"cus_{name}", has_changed=has_changed)
                has_announced.set()
                sleep(0.3)
            else:
                has_announced.wait(10)
                announce_access(f"cus_{name}", has_changed=True)

    at_once(lambda number: change("one", "canceled", waits=True) if number else change("two", "active", waits=False), 2)
    assert AnnouncedAccess.objects.get().is_granted
    assert [name for name, _ in world.heard if name.startswith("access")] == ["access_revoked", "access_granted"]


@pytest.mark.postgres_only
def test_access_that_comes_back_in_one_lane_while_another_places_a_hold_is_not_announced(world):
    user, pro = world.sign_up(), Plan.objects.get(slug="pro")
    held = Customer.objects.create(pk="cus_one", subscriber=user)
    paying = Customer.objects.create(pk="cus_two", subscriber=user, is_current=False)
    Subscription.objects.create(customer=paying, stripe_id="sub_two", status="incomplete", plan=pro)
    is_placed = Event()

    def place():
        with transaction.atomic():
            holds.place(held, Hold.Kind.STAFF, "case 7")
            is_placed.set()
            sleep(0.3)

    def pay():
        is_placed.wait(10)
        with transaction.atomic():
            Subscription.objects.update(status="active")
            announce_access(paying.pk, has_changed=True)

    at_once(lambda number: pay() if number else place(), 2)
    assert access.of(user).reason == "hold_staff"
    assert not [name for name, _ in world.heard if name.startswith("access")]


# Two tabs that buy in two currencies at the same moment


@pytest.fixture
def three(world, ada):
    """Dollars keep one customer of hers, euros the second, which buys next, and nothing the third."""
    Customer.objects.filter(pk=ada.customer).update(is_current=False)
    euros = Customer.objects.create(pk="cus_eur", subscriber=ada.user)
    Subscription.objects.create(customer=euros, stripe_id="sub_eur", status="active", currency="eur", line="storage")
    return [Customer.objects.get(pk=ada.customer), Customer.objects.create(pk="cus_free", is_current=False)]


@pytest.mark.postgres_only
def test_of_two_that_become_the_current_one_at_the_same_moment_one_is(ada, three):
    dollars, free = three
    for _ in range(5):
        Customer.objects.filter(subscriber=ada.user).update(is_current=False)
        Customer.objects.filter(pk="cus_eur").update(is_current=True)
        Customer.objects.filter(pk=free.pk).update(subscriber=None)
        made = at_once(
            lambda number: (
                Customer.objects.link(free.pk, ada.user.pk, becomes_current=True)
                if number
                else Customer.objects.make_current(dollars)
            ),
            2,
        )
        assert made == [None, True]
        assert Customer.objects.get(subscriber=ada.user, is_current=True).pk in (dollars.pk, free.pk)


@pytest.mark.postgres_only
def test_who_meets_a_lane_that_locks_both_customers_in_the_other_order_becomes_the_current_one_all_the_same(world):
    user = world.sign_up()
    Customer.objects.create(pk="cus_z", subscriber=user)
    first = Customer.objects.create(pk="cus_a", subscriber=user, is_current=False)
    is_locked = Event()

    def in_a_lane():
        with transaction.atomic():
            Customer.objects.filter(pk="cus_a").update(balance=1)
            is_locked.set()
            sleep(0.3)  # until the other waits, and is the first to look for a deadlock
            Customer.objects.filter(pk="cus_z").update(balance=1)

    def become():
        is_locked.wait(10)
        Customer.objects.make_current(first)

    assert at_once(lambda number: become() if number else in_a_lane(), 2) == [None, None]
    assert Customer.objects.get(is_current=True).pk == "cus_a"


def test_one_that_another_became_the_current_one_beside_becomes_it_all_the_same(ada, three, monkeypatch):
    """The index refuses the first try, since the other has been written after the current ones were cleared."""
    dollars, free = three
    Customer.objects.filter(pk=free.pk).update(subscriber=ada.user)
    update, left = QuerySet.update, [free.pk, "cus_eur"]

    def beaten(rows, **columns):
        if columns == {"is_current": True} and left:
            update(Customer.objects.filter(pk=left.pop()), is_current=True)
        return update(rows, **columns)

    monkeypatch.setattr(QuerySet, "update", beaten)
    Customer.objects.make_current(dollars)
    assert [row.pk for row in Customer.objects.filter(subscriber=ada.user, is_current=True)] == [dollars.pk]
    assert left == []


def test_a_tab_that_began_by_another_customer_is_given_way_to_and_no_second_session_is_made(world, ada, monkeypatch):
    """The next click goes on."""
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    opened, price = [], Price.objects.get(lookup_key="pro_month")
    at_stripe = world.stripe("POST", "customers", email="ada@example.com")
    beside = Customer.objects.create(pk=at_stripe["id"], subscriber=ada.user, is_current=False)
    make = attempts.open_attempt

    def with_another(draft):
        if not opened:
            opened.append(CheckoutAttempt.objects.create(customer=beside, price=price, currency="eur"))
        return make(draft)

    monkeypatch.setattr(attempts, "open_attempt", with_another)
    before = len(world.stripe("GET", "checkout/sessions")["data"])
    with pytest.raises(checkout.CheckoutReplaced):
        checkout.start(ada.user, "pro", "month")
    assert CheckoutAttempt.objects.get(status="open") == opened[0]
    assert len(world.stripe("GET", "checkout/sessions")["data"]) == before
    assert checkout.start(ada.user, "pro", "month").url
    assert CheckoutAttempt.objects.get(status="open").customer_id == ada.customer


# Lanes of several customers, woken in one transaction


@pytest.mark.postgres_only
@pytest.mark.parametrize("current", ["cus_a", "cus_c"])
@pytest.mark.parametrize(
    "change", [deletion.begin, customer_details.changed, seats.changed], ids=["deletion", "details", "seats"]
)
def test_who_wakes_the_lanes_of_all_of_their_customers_meets_a_replay_in_no_deadlock(world, settings, change, current):
    """A replay wakes the same lanes by their names; who has the last and waits for the first would be in its way."""
    settings.BILLING_SEATS = "billing.tests.lifecycle.test_several_customers.three_seats"
    user = world.sign_up()
    for name in ("cus_a", "cus_b", "cus_c"):
        Customer.objects.create(pk=name, subscriber=user, is_current=name == current)
        lanes.wake(name)
    has_first = Event()

    def replay():
        with transaction.atomic():
            lanes.wake("cus_a")
            lanes.wake("cus_b")
            has_first.set()
            sleep(0.3)  # until the other waits
            lanes.wake("cus_c")

    def act():
        has_first.wait(10)
        with transaction.atomic():
            change(user)

    outcomes = at_once(lambda number: act() if number else replay(), 2)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def three_seats(subscriber):
    return 3

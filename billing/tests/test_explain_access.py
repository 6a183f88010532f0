"""The command explains in sentences why somebody has access or not, now and back then."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import access, testing
from billing.lifecycle import deletion
from billing.models import Customer, Hold, SubscriptionChange
from billing.subscriptions import holds
from billing.testing import now as sandbox_now

from .world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def told(*arguments):
    out = StringIO()
    call_command("explain_access", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def ada(world):
    return world.subscribed()


def test_each_real_change_is_kept_once(world, ada):
    assert SubscriptionChange.objects.get().status == "active"
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"note": "says nothing to us"})
    world.deliver()
    assert SubscriptionChange.objects.count() == 1
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    world.deliver()
    assert SubscriptionChange.objects.count() == 2


def test_now_it_says_what_access_says(world, ada):
    world.control("advance", seconds=1)
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"note": "the newest"})
    world.deliver()
    explained = access.explain(ada.user)
    assert (explained.has_access, explained.reason, explained.status, explained.plan) == (
        True,
        "active",
        "active",
        "pro",
    )
    text = str(explained)
    assert "ada@example.com" in text
    assert "has access (active). The subscription is active and paid until" in text
    assert "No payment is overdue." in text
    newest = text.partition("Stripe's last events:\n")[2].splitlines()[0]
    assert newest.endswith(": customer.subscription.updated (processed)")


def test_every_moment_of_a_story_is_told_as_it_was(world, ada):
    """Paid, declined, in grace, over, paid again: asked at the end about each of them."""
    moments = {"active": sandbox_now()}
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    world.deliver()
    moments["grace"] = sandbox_now()
    world.advance(days=4)
    world.deliver()
    moments["grace_over"] = sandbox_now()
    world.advance(hours=1)
    world.change_card(ada, "pm_card_visa")
    world.stripe("POST", f"invoices/{world.open_invoice(ada)}/pay")
    world.deliver()
    world.advance(hours=1)
    holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7")
    world.advance(hours=1)
    moments["hold_staff"] = sandbox_now()
    world.advance(hours=1)
    holds.release(customer_row(ada), Hold.Kind.STAFF, "case 7")
    world.advance(hours=1)
    assert access.explain(ada.user).reason == "active"
    assert {reason: access.explain(ada.user, at).reason for reason, at in moments.items()} == {
        reason: reason for reason in moments
    }
    in_grace = access.explain(ada.user, moments["grace"])
    assert in_grace.grace_ends_at - in_grace.grace_since == timedelta(days=3)
    assert "A payment is overdue: grace counts from" in str(in_grace)
    assert all(event.created <= moments["grace"].timestamp() for event in in_grace.events)
    assert "Access is on hold since" in str(access.explain(ada.user, moments["hold_staff"]))


def test_before_they_came_there_was_nothing(world, ada):
    long_ago = datetime(2020, 1, 1, tzinfo=sandbox_now().tzinfo)
    explained = access.explain(ada.user, long_ago)
    assert (explained.reason, explained.events, explained.changes) == ("no_subscription", [], [])


def test_a_taken_over_subscription_with_nothing_recorded_is_what_it_was_when_it_came(world, ada):
    SubscriptionChange.objects.all().delete()
    assert access.explain(ada.user, timezone.now() + timedelta(days=1)).reason == "active"


def test_who_never_bought_is_on_the_free_plan(world):
    explained = access.explain(world.sign_up("eve@example.com"))
    assert (explained.reason, explained.status, explained.plan) == ("no_subscription", "none", "")


def test_who_has_left_is_explained_as_a_customer_and_before_it_as_ever(world, ada):
    before = sandbox_now()
    world.advance(hours=1)
    deletion.begin(ada.user)
    testing.work()
    world.advance(hours=1)
    now, then = (access.explain_customer(customer_row(ada), at) for at in (None, before))
    assert (now.reason, then.reason) == ("customer_deleted", "active")
    assert "Deletion of the account was requested on" in str(now)
    assert "is finished" in str(now)
    assert now.deletion
    assert not then.deletion


def test_what_another_did_and_was_sent_is_not_told_of_who_stays(world, ada):
    ben = world.subscribed(email="ben@example.com")
    deletion.begin(ben.user)
    world.deliver()
    theirs, bens = (access.explain_customer(customer_row(each)) for each in (ada, ben))
    assert (theirs.reason, theirs.deletion) == ("active", None)
    assert "Deletion" not in str(theirs)
    assert {event.lane for event in theirs.events} == {ada.customer}
    assert {row.customer_id for row in theirs.changes} == {ada.customer}
    assert (bens.reason, bens.deletion.customer_id) == ("customer_deleted", ben.customer)
    assert {event.lane for event in bens.events} == {ben.customer}


def test_a_subscriber_whose_customer_was_deleted_is_explained_by_that_customer(world, ada):
    ben = world.subscribed(email="ben@example.com")
    Customer.objects.filter(pk=ada.customer).update(deleted_at=sandbox_now())
    world.advance(hours=1)
    explained = access.explain(ada.user)
    assert (explained.reason, explained.who) == ("customer_deleted", f"ada@example.com ({ada.customer})")
    assert [row.customer_id for row in explained.changes] == [ada.customer]
    assert access.explain(ben.user).reason == "active"


# The command


def test_the_command_finds_by_either_address_in_any_case(world, ada):
    assert "has access" in told("ADA@example.com")
    customer_row(ada).__class__.objects.update(email="books@example.com")
    assert told("books@example.com") == told("ada@example.com")


def test_the_command_takes_a_past_moment(world, ada):
    assert "has no access (no_subscription)" in told("ada@example.com", "--at", "2020-01-31")
    assert "1 Jan 2020, 11:30" in told("ada@example.com", "--at", "2020-01-01T12:30+01:00")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nobody@example.com"], 1),
        (["not-an-address"], 2),
        (["a@b\0"], 2),
        (["ada@example.com", "--at", "yesterday"], 2),
        (["ada@example.com", "--at", "2026-13-45"], 2),
        (["ada@example.com", "--at", ""], 2),
    ],
)
def test_the_command_says_what_is_wrong_by_its_exit_code(db, arguments, code):
    with pytest.raises(CommandError) as error:
        call_command("explain_access", *arguments)
    assert error.value.returncode == code


def test_a_subscriber_without_a_customer_is_found_by_their_own_address(settings, db):
    settings.BILLING_CLOCK = ""
    get_user_model().objects.create_user("eve@example.com")
    assert "eve@example.com has no access (no_subscription). There has never been a subscription." in told(
        "eve@example.com"
    )

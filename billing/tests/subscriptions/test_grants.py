"""What a subscriber is given besides what they pay: what it outweighs, what outweighs it, and how it ends."""

from datetime import timedelta

import pytest

from billing import access, cause, clock, lanes, testing, usage
from billing import grants as public
from billing.events import sweep
from billing.lifecycle import deletion
from billing.models import Grant, Hold, Plan, PlanLimit, Subscription, Usage
from billing.subscriptions import grants, holds
from billing.testing import now as sandbox_now
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def give(subscriber, plan="team", days=10, source="staff:1"):
    with cause.recorded_as("staff:1"), lanes.exclusive(subscriber.customer) as commit:
        what = {"plan": plan, "until": sandbox_now() + timedelta(days=days), "reason": "they waited long"}
        return commit(lambda: grants.give(subscriber.user, **what, source=source))


def revoke(subscriber, source="staff:1"):
    with cause.recorded_as("staff:2"), lanes.exclusive(subscriber.customer) as commit:
        return commit(lambda: grants.revoke(subscriber.user, source))


def stands(subscriber):
    now = access.of(subscriber.user)
    return (now.has_access, now.reason, now.plan.slug if now.plan else None)


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def ended(world, ada):
    """Whose subscription is over."""
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    world.heard.clear()
    return ada


def test_it_gives_access_to_who_has_none_and_says_so(world, ended):
    give(ended)
    assert stands(ended) == (True, "grant", "team")
    assert world.said(ended) == ["grant_given", "access_granted"]


def test_who_never_bought_is_given_access_too(world):
    eve = world.subscribe(email="eve@example.com")
    give(eve)
    assert stands(eve) == (True, "grant", "team")


def test_it_counts_only_where_it_gives_more_than_what_is_paid(world, ada):
    give(ada, plan="pro", source="staff:0")
    assert stands(ada) == (True, "active", "pro")
    give(ada)
    assert stands(ada) == (True, "grant", "team")
    revoke(ada)
    assert stands(ada) == (True, "active", "pro")


def test_the_check_of_access_stays_one_query_and_asks_the_plan_that_was_given(world, ended, django_assert_num_queries):
    PlanLimit.objects.create(plan=Plan.objects.get(slug="team"), feature="exports")
    assert not access.has_access(ended.user, plan="pro")
    give(ended)
    for asked in ({}, {"plan": "pro"}, {"plan": "team"}, {"feature": "exports"}):
        with django_assert_num_queries(1):
            assert access.has_access(ended.user, **asked)
    with django_assert_num_queries(1):
        assert not access.has_access(ended.user, feature="what nobody sells")


@pytest.mark.parametrize("kind", Hold.Kind.values)
def test_a_hold_outweighs_it(world, ended, kind):
    give(ended)
    holds.place(customer_row(ended), Hold.Kind(kind), "case 7")
    assert stands(ended) == (False, f"hold_{kind}", None)
    assert world.said(ended) == ["grant_given", "access_granted", "access_revoked"]


def test_given_to_somebody_on_hold_it_waits_for_the_release(world, ada):
    holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7")
    world.heard.clear()
    give(ada)
    assert stands(ada) == (False, "hold_staff", None)
    assert world.said(ada) == ["grant_given"]
    holds.release(customer_row(ada), Hold.Kind.STAFF, "case 7")
    assert stands(ada) == (True, "grant", "team")
    assert world.said(ada) == ["grant_given", "access_granted"]


def test_its_end_is_announced_by_the_sweep_once(world, ended):
    give(ended, days=1)
    world.advance(days=2)
    assert stands(ended) == (False, "canceled", None)
    world.heard.clear()
    assert "1 grants ended" in sweep.sweep()
    assert "0 grants ended" in sweep.sweep()
    assert world.said(ended) == ["grant_ended", "access_revoked"]
    grant = Grant.objects.get()
    assert (grant.ended_at, grant.ended_by) == (grant.until, "grant lapsed")


def test_the_end_of_more_than_was_paid_for_says_what_no_longer_fits(world, ada):
    give(ada, days=1)
    limit = Plan.objects.get(slug="pro").limits.first()
    granted = usage.allowance(ada.user)
    over = {"used": limit.quantity + 1, "period_start": granted.period_start}
    Usage.objects.create(subscriber=ada.user, feature=limit.feature, **over)
    world.advance(days=2)
    world.heard.clear()
    sweep.sweep()
    assert stands(ada) == (True, "active", "pro")
    assert world.said(ada) == ["grant_ended", "quota_overflowed"]


def test_a_payment_meanwhile_makes_its_end_no_loss(world, ended):
    give(ended, plan="pro", days=1)
    again = world.subscribe(user=ended.user)
    world.deliver()
    world.heard.clear()
    world.advance(days=2)
    sweep.sweep()
    assert stands(again) == (True, "active", "pro")
    assert world.said(ended) == ["grant_ended"]


def test_of_several_the_highest_counts_and_access_lasts_until_the_last_has_ended(world, ended):
    first, second = give(ended, days=1), give(ended, plan="pro", days=30, source="staff:2")
    assert stands(ended) == (True, "grant", "team")
    assert access.access_ends_at(access.of(ended.user)) == second.until
    world.advance(days=2)
    world.heard.clear()
    sweep.sweep()
    assert stands(ended) == (True, "grant", "pro")
    assert Grant.objects.open().get() == second
    assert world.said(ended) == ["grant_ended"]
    first.refresh_from_db()
    assert first.ended_at == first.until


def test_it_has_run_out_at_its_moment_and_not_before(ended, monkeypatch):
    until = give(ended, days=1).until
    monkeypatch.setattr(clock, "now", lambda: until - timedelta(microseconds=1))
    assert grants.subscribers_past_grant() == []
    grants.end_lapsed(ended.user)
    assert Grant.objects.open().exists(), "somebody may have extended it meanwhile"
    monkeypatch.setattr(clock, "now", lambda: until)
    assert grants.subscribers_past_grant() == [ended.user]
    sweep.sweep()
    assert grants.subscribers_past_grant() == []


def test_an_end_before_its_time_is_of_that_moment_and_anothers_goes_on(world, ended):
    ben = world.subscribed(email="ben@example.com")
    bens, adas = give(ben), give(ended, days=10)
    world.advance(days=1)
    world.heard.clear()
    assert (revoke(ended), revoke(ended), revoke(ended, "nobody")) == (True, False, False)
    adas.refresh_from_db()
    assert (adas.ended_at, adas.ended_by) == (sandbox_now(), "staff:2")
    assert adas.ended_at < adas.until
    assert Grant.objects.open().get() == bens
    assert (world.said(ended), world.said(ben)) == (["grant_ended", "access_revoked"], [])


def test_a_customer_deleted_at_stripe_takes_nothing_that_was_given(world, ada):
    give(ada)
    world.heard.clear()
    world.stripe("DELETE", f"customers/{ada.customer}")
    world.deliver()
    assert stands(ada) == (True, "grant", "team")
    assert "access_revoked" not in world.said(ada)
    assert Grant.objects.open().exists()


def test_what_was_given_says_by_whom_and_when(world, ended):
    grant = give(ended)
    assert (grant.granted_at, grant.cause, grant.reason) == (sandbox_now(), "staff:1", "they waited long")
    assert (grant.ended_at, grant.ended_by) == (None, "")


def test_every_moment_of_it_is_explained(world, ended):
    world.advance(hours=1)
    before = sandbox_now()
    world.advance(hours=1)
    give(ended, days=3)
    world.advance(hours=1)
    during = sandbox_now()
    world.advance(days=4)
    told = {at: access.explain(ended.user, at) for at in (before, during, None)}
    assert [one.reason for one in told.values()] == ["canceled", "grant", "canceled"]
    assert "A member of staff gave Team until" in str(told[during])
    assert "they waited long" in str(told[during])
    sweep.sweep()
    assert access.explain(ended.user, during).reason == "grant"


def test_the_api_tells_the_plan_given_and_nothing_it_did_not_tell_before(world, ended, client):
    give(ended)
    client.force_login(ended.user)
    now = client.get("/api/v1/subscriptions/current").json()
    assert (now["plan"], now["status"], now["has_access"], now["reason"]) == ("team", "canceled", True, "grant")
    assert set(now) == {
        *("plan", "status", "has_access", "reason", "current_period_end", "cancel_at", "trial_end", "grace_ends_at"),
        *("holds", "usage", "pending_change", "line", "access_ends_at", "next_charge", "credit", "owed"),
        *("discounts", "collection_paused", "price_change", "add_ons", "address_missing"),
    }


def test_the_billing_page_says_until_when(world, ended, client):
    give(ended)
    client.force_login(ended.user)
    page = client.get("/billing/").content.decode()
    assert "Team" in page
    assert "Yours until" in page
    assert "Your subscription has ended" not in page
    assert "Choose Team" in client.get("/").content.decode()


def test_who_leaves_keeps_nothing_of_it(world, ada):
    give(ada)
    deletion.begin(ada.user)
    assert access.of(ada.user).reason == "closing"
    testing.work()
    assert not Grant.objects.open().exists()
    assert Grant.objects.get().reason == ""
    assert Subscription.objects.get().status == "canceled"


def test_who_never_bought_and_leaves_keeps_nothing_either(world, client):
    eve = world.sign_up("eve@example.com")
    public.grant(eve, plan="team", source="promo", reason="Eve wrote to us")
    client.force_login(eve)
    page = client.get("/billing/").content.decode()
    assert "Yours permanently" in page
    assert client.get("/api/v1/subscriptions/current").json()["reason"] == "grant"
    deletion.begin(eve)
    testing.work()
    grant = Grant.objects.get()
    assert (grant.ended_by, grant.reason, access.of(eve).has_access) == ("deletion", "", False)

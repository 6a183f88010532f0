"""A subscriber with plans of two lines has both, each changed, cancelled and told for itself."""

import pytest
from django.test import Client

from billing import access, usage
from billing.lifecycle import cancel, checkout, overview, refusals
from billing.models import AnnouncedAccess, MrrMovement, Plan, PlanLimit, Price, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(world):
    """A plan of another line, for sale monthly."""
    plan = Plan.objects.create(slug="storage", name="Storage", line="storage", rank=1)
    PlanLimit.objects.create(plan=plan, feature="generations", quantity=5)
    PlanLimit.objects.create(plan=plan, feature="gigabytes", quantity=100)
    product = world.stripe("POST", "products", name="Storage")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=500, recurring={"interval": "month"},
        lookup_key="storage_month",
    )  # fmt: skip
    Price.objects.create(
        pk=price["id"], plan=plan, product=product, lookup_key="storage_month", currency="usd", unit_amount=500,
        interval="month",
    )  # fmt: skip
    return plan


@pytest.fixture
def both(world, storage):
    """Somebody with Pro and Storage, as Checkout sold them."""
    ada = world.subscribed()
    ada.storage = world.subscribed("storage", user=ada.user).subscription
    return ada


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_checkout_sells_one_of_each_line_and_refuses_a_second_of_the_same(world, both):
    assert {row.line: row.stripe_id for row in Subscription.objects.filter(counts=True)} == {
        "main": both.subscription, "storage": both.storage,
    }  # fmt: skip
    for plan in ("pro", "storage"):
        with pytest.raises(checkout.AlreadySubscribed):
            checkout.start(both.user, plan, "month")
    assert world.stripe("GET", f"subscriptions/{both.storage}")["status"] == "active"


def test_access_is_asked_of_any_line_or_of_one_in_one_query(both, django_assert_num_queries):
    asked = {
        (): True, ("plan", "pro"): True, ("plan", "team"): False, ("plan", "storage"): True,
        ("feature", "gigabytes"): True, ("line", "storage"): True, ("line", "games"): False,
    }  # fmt: skip
    for words, answer in asked.items():
        with django_assert_num_queries(1):
            assert access.has_access(both.user, **dict([words] if words else [])) is answer, words
    assert access.of(both.user).plan.slug == "pro"
    assert access.of(both.user, line="storage").plan.slug == "storage"


def test_limits_of_the_lines_add_up(both):
    assert usage.allowance(both.user).limits == {"generations": 1005, "gigabytes": 100}
    cancel.cancel(both.user, "now", line="main")
    assert usage.allowance(both.user).limits == {"generations": 15, "gigabytes": 100}


def test_what_ends_in_one_line_leaves_the_other(world, both):
    world.heard.clear()
    row = cancel.cancel(both.user, "now", line="storage")
    world.deliver()
    assert (row.stripe_id, row.status, both.row.status) == (both.storage, "canceled", "active")
    assert (access.has_access(both.user, line="storage"), both.access.plan.slug) == (False, "pro")
    assert world.said(both) == ["subscription_ended", "access_revoked"]
    assert set(AnnouncedAccess.objects.values_list("line", "is_granted")) == {("main", True), ("storage", False)}
    assert sum(MrrMovement.objects.values_list("amount", flat=True)) == 2000


def test_a_line_need_not_be_named_where_only_one_lives(world, both):
    cancel.cancel(both.user, "now", line="main")
    assert access.of(both.user).line == "storage"
    assert cancel.cancel(both.user, "period_end").stripe_id == both.storage
    with pytest.raises(refusals.NotCancelling):
        cancel.resume(world.subscribed(email="ben@example.com").user)


def test_the_api_answers_for_a_line_and_lists_them(both):
    client = client_of(both.user)
    lines = client.get("/api/v1/subscriptions").json()
    assert [(row["line"], row["plan"], row["has_access"]) for row in lines] == [
        ("main", "pro", True), ("storage", "storage", True),
    ]  # fmt: skip
    assert client.get("/api/v1/subscriptions/current").json()["plan"] == "pro"
    assert client.get("/api/v1/subscriptions/current?line=storage").json()["plan"] == "storage"
    wrong = client.get("/api/v1/subscriptions/current?line=games")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_request")
    left = client.post(
        "/api/v1/subscriptions/cancel", {"when": "period_end", "line": "storage"}, content_type="application/json"
    ).json()
    assert (left["line"], left["cancel_at"] is not None) == ("storage", True)
    back = client.post("/api/v1/subscriptions/resume?line=storage").json()
    assert (back["line"], back["cancel_at"]) == ("storage", None)
    assert {plan["slug"]: plan["line"] for plan in client.get("/api/v1/plans").json()} == {
        "free": "main", "pro": "main", "team": "main", "storage": "storage",
    }  # fmt: skip


def test_the_account_page_shows_each_line_and_who_has_one_sees_nothing_of_it(world, both):
    shown = client_of(both.user).get("/billing/").content.decode()
    assert "Cancel Storage" in shown
    assert "line=storage" in shown
    ben = world.subscribed(email="ben@example.com")
    assert 'name="line"' not in client_of(ben.user).get("/billing/cancel").content.decode()
    assert "Storage" not in client_of(ben.user).get("/billing/").content.decode()
    page = client_of(both.user)
    page.post("/billing/cancel", {"when": "now", "line": "storage"})
    assert Subscription.objects.get(stripe_id=both.storage).status == "canceled"
    assert both.access.plan.slug == "pro"
    assert len(overview.overviews_of(both.user)) == 1

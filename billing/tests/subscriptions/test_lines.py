"""A subscriber with plans of two lines has both, each changed, cancelled and told for itself."""

import pytest
from django.db import IntegrityError
from django.test import Client

from billing import access, subscriptions, usage
from billing.clock import from_timestamp
from billing.lifecycle import cancel, change, checkout, deletion, overview, refusals
from billing.localized import day
from billing.models import (
    AnnouncedAccess,
    CheckoutAttempt,
    MrrMovement,
    PaymentFailure,
    Plan,
    PlanLimit,
    Price,
    Subscription,
)
from billing.subscriptions import grants, holds
from billing.tests.world import customer_row

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


def test_a_resumption_whose_answer_was_lost_is_taken_as_done_in_its_line_alone(world, both):
    cancel.cancel(both.user, "period_end", line="storage")
    world.stripe("POST", f"subscriptions/{both.storage}", cancel_at_period_end=False)
    with pytest.raises(refusals.NotCancelling):
        cancel.resume(both.user, line="main")
    assert cancel.resume(both.user, line="storage").cancel_at is None


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


def test_the_return_page_tells_how_the_bought_line_stands_and_not_another(world, client, storage):
    ada = world.subscribed()
    cancel.cancel(ada.user, "now")
    world.control("settings", debit_days=4)
    world.subscribe("storage", user=ada.user, card="pm_usBankAccount_success")
    attempt = CheckoutAttempt.objects.get(price__plan=storage)
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.PROCESSING, "what has ended is in the other line"


def test_the_return_page_does_not_take_access_in_another_line_for_a_payment(world, client, storage):
    ada = world.subscribed()
    world.control("settings", debit_days=4)
    world.subscribe("storage", user=ada.user, card="pm_usBankAccount_success")
    session = CheckoutAttempt.objects.get(price__plan=storage).session_id
    client.force_login(ada.user)
    with world.down():
        answer = client.get("/billing/return", {"session_id": session})
    assert answer.context["outcome"] == "processing"


def test_a_hold_of_one_subscription_withholds_no_purchase_and_no_change_in_another_line(world, both):
    holds.place(customer_row(both), "dispute", "dp_1", subscription_id=both.storage)
    assert change.change(both.user, "team", "month").plan.slug == "team"
    with pytest.raises(refusals.AccessWithheld):
        checkout.start(both.user, "storage", "month")
    cancel.cancel(both.user, "now", line="main")
    assert checkout.start(both.user, "pro", "month").url


def test_a_hold_of_one_subscription_does_not_withhold_what_staff_gave_in_another_line(
    world, storage, django_assert_num_queries
):
    ada = world.subscribed()
    customer = customer_row(ada)
    grants.give(ada.user, plan="storage", until=from_timestamp(4_000_000_000), source="thanks")
    holds.place(customer, "dispute", "dp_1", subscription_id=ada.subscription)
    with django_assert_num_queries(1):
        lines = access.lines_of(ada.user)
    assert {line: now.reason for line, now in lines.items()} == {"main": "hold_dispute", "storage": "grant"}
    holds.place(customer, "staff", "1")
    assert {now.reason for now in access.lines_of(ada.user).values()} == {"hold_dispute", "hold_staff"}


def test_who_begins_to_count_as_grace_is_dated_is_announced_as_after_a_refresh(world):
    ada = world.subscribed("team")
    pro = world.subscribe_again(ada, Price.objects.get(lookup_key="pro_year").pk)
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=15)
    world.deliver()
    assert (ada.row.stripe_id, ada.row.status) == (ada.subscription, "past_due")
    world.heard.clear()
    PaymentFailure.objects.update(failed_at=from_timestamp(0))
    subscriptions.date_grace(ada.row)
    assert (ada.row.stripe_id, world.said(ada)) == (pro, ["subscription_started"])


def test_the_page_names_for_each_feature_the_day_on_which_it_resets(world, storage):
    ada = world.subscribed()
    world.advance(days=5)
    world.subscribed("storage", user=ada.user)
    shown = client_of(ada.user).get("/billing/").content.decode()
    used = usage.summary(ada.user)
    assert len({quota.resets_at for quota in used.values()}) == 2
    for quota in used.values():
        assert f"Resets on {day(quota.resets_at)}" in shown
    ben = world.subscribed(email="ben@example.com")
    assert client_of(ben.user).get("/billing/").content.decode().count("Resets on") == 1


# Checkout


def open_sessions(world):
    return {row["id"] for row in world.stripe("GET", "checkout/sessions", status="open")["data"]}


def test_a_checkout_of_one_line_leaves_that_of_another_open_and_both_can_be_paid(world, storage):
    ada = world.sign_up()
    first, second = checkout.start(ada, "pro", "month"), checkout.start(ada, "storage", "month")
    assert open_sessions(world) == {first.session_id, second.session_id}
    assert checkout.start(ada, "pro", "month").pk == first.pk
    for attempt in (first, second):
        world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    world.deliver()
    assert {line: now.plan.slug for line, now in access.lines_of(ada).items()} == {"main": "pro", "storage": "storage"}
    assert set(CheckoutAttempt.objects.values_list("line", "status")) == {
        ("main", "completed"), ("storage", "completed"),
    }  # fmt: skip


def test_another_choice_in_a_line_expires_that_lines_session_alone(world, storage):
    ada = world.sign_up()
    first, other = checkout.start(ada, "pro", "month"), checkout.start(ada, "storage", "month")
    second = checkout.start(ada, "team", "month")
    assert open_sessions(world) == {other.session_id, second.session_id}
    first.refresh_from_db()
    assert first.status == "expired"


def test_the_database_allows_one_open_checkout_in_each_line(world, storage):
    customer = customer_row(world.subscribed())
    pro, of_storage = Price.objects.get(lookup_key="pro_month"), Price.objects.get(lookup_key="storage_month")
    CheckoutAttempt.objects.create(customer=customer, price=pro)
    CheckoutAttempt.objects.create(customer=customer, price=of_storage, line="storage")
    with pytest.raises(IntegrityError):
        CheckoutAttempt.objects.create(customer=customer, price=pro)


def test_a_deletion_closes_the_open_checkouts_of_all_lines(world, storage):
    ada = world.sign_up()
    for plan in ("pro", "storage"):
        checkout.start(ada, plan, "month")
    deletion.begin(ada)
    assert set(CheckoutAttempt.objects.values_list("status", flat=True)) == {"expired"}

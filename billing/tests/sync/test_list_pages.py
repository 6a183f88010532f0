"""A page of Stripe's list held against our rows: who is left alone, who is doubtful, who is taken over."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing import subscriptions
from billing.models import AnnouncedAccess, Customer, Plan, Price, Subscription, SyncRun
from billing.sync import comparing, full, list_pages
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


SOON = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def prices(settings):
    settings.BILLING_CLOCK = ""
    plan = Plan.objects.create(slug="swept", name="Swept", rank=1)
    return Price.objects.create(pk="price_low", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def full_run():
    now = timezone.now()
    return list_pages.FullRun(SyncRun(mode="full", started_at=now, clock_at=now), now, is_dry=False, invoices={})


def theirs(customer="cus_ada", **changes):
    """As a list brings it: its customer is an id."""
    name = "sub_1" if customer == "cus_ada" else f"sub_{customer}"
    return {**found(name, default_payment_method={"id": "pm_1", "card": None}), "customer": customer, **changes}


def ours(customer="cus_ada", **columns):
    """A row that says what Stripe says, but for `columns`, of a customer we have had for long."""
    Customer.objects.create(pk=customer, email=f"{customer}@example.com")
    Customer.objects.filter(pk=customer).update(created_at=LONG_AGO)
    row = Subscription(customer_id=customer)
    for name, value in subscriptions.columns_of(theirs(customer), row).items():
        setattr(row, name, value)
    for name, value in columns.items():
        setattr(row, name, value)
    row.save()
    return row


def told():
    return sorted(AnnouncedAccess.objects.filter(is_granted=True).values_list("customer", flat=True))


def doubtful(full_run, *page):
    list_pages.SubscriptionPages(full_run)(list(page))
    return list(full_run.doubtful)


def test_who_is_as_we_have_them_is_left_alone(full_run):
    ours()
    assert doubtful(full_run, theirs()) == []
    assert (full_run.run.compared, full_run.run.imported) == (1, 0)
    assert full_run.seen == {hash("sub_1")}


@pytest.mark.parametrize("column", ["status", "quantity", "cancel_at", "currency"])
def test_who_differs_is_doubtful_and_a_bystander_is_not(full_run, column):
    ours(**{column: {"status": "unpaid", "quantity": 9, "cancel_at": LONG_AGO, "currency": "eur"}[column]})
    ours("cus_ben")
    assert doubtful(full_run, theirs(), theirs("cus_ben")) == ["cus_ada"]


def test_who_is_gone_here_is_not_asked_about(full_run):
    ours(status="unpaid")
    Customer.objects.update(deleted_at=LONG_AGO)
    assert doubtful(full_run, theirs()) == []


@pytest.mark.parametrize(
    "listed", [{}, {"status": "canceled", "ended_at": 900}, {"items": {"data": [item("price_other")]}}]
)
def test_a_subscription_that_has_no_row_is_asked_about_whatever_it_is(full_run, listed):
    full_run.is_dry = True  # a price that is not here is not asked about
    ours(stripe_id="sub_0")
    assert doubtful(full_run, theirs(**listed)) == ["cus_ada"]


def test_a_customer_of_whom_another_counts_by_now_is_asked_about(full_run):
    row = ours()
    Subscription.objects.create(customer=row.customer, stripe_id="sub_0", status="canceled", counts=False)
    assert doubtful(full_run, theirs()) == []
    Subscription.objects.filter(pk=row.pk).update(counts=False)
    Subscription.objects.filter(stripe_id="sub_0").update(counts=True)
    assert doubtful(full_run, theirs()) == ["cus_ada"]


def test_strangers_to_a_plan_are_taken_over_and_what_they_have_is_no_news(full_run, world):
    world.heard.clear()
    eves = {"items": {"data": [item("price_other")]}}
    page = [theirs(), theirs("cus_ben", status="canceled", ended_at=5), theirs("cus_eve", **eves)]
    assert doubtful(full_run, *page) == []
    rows = Subscription.objects.filter(customer__in=["cus_ada", "cus_ben", "cus_eve"]).order_by("pk")
    assert list(rows.values_list("customer", "status", "counts", "has_announced_start")) == [
        ("cus_ada", "active", True, True),
        ("cus_ben", "canceled", True, False),
    ]
    assert told() == ["cus_ada"]
    assert {row.fetched_at for row in rows} == {full_run.began}
    assert (full_run.run.imported, world.heard) == (2, [])


def test_a_live_one_on_a_later_page_takes_the_place_of_an_ended_one_taken_over_before(full_run):
    pages = list_pages.SubscriptionPages(full_run)
    pages([theirs(status="canceled", ended_at=5, id="sub_0")])
    pages([theirs()])
    pages([theirs(status="canceled", ended_at=9, id="sub_9")])
    row = Subscription.objects.get(counts=True)
    assert (row.stripe_id, row.status, told(), full_run.run.imported) == ("sub_1", "active", ["cus_ada"], 1)
    assert Subscription.objects.count() == 3


@pytest.mark.parametrize(("came", "is_taken_over"), [(-SOON, False), (timedelta(0), True), (SOON, True)])
def test_who_came_in_this_very_run_is_taken_over_and_who_was_here_before_it_is_asked_about(
    full_run, came, is_taken_over
):
    Customer.objects.create(pk="cus_ada")
    Customer.objects.update(created_at=full_run.began + came)
    ours("cus_ben")
    assert doubtful(full_run, theirs(), theirs("cus_ben")) == ([] if is_taken_over else ["cus_ada"])
    assert full_run.run.imported == int(is_taken_over)
    assert Subscription.objects.filter(customer="cus_ada", stripe_id="sub_1").exists() is is_taken_over


def test_who_signed_up_in_this_very_run_is_asked_about_so_that_their_news_is_told(full_run):
    ada = get_user_model().objects.create_user("ada@example.com")
    Customer.objects.create(pk="cus_ada", subscriber=ada)
    assert doubtful(full_run, theirs()) == ["cus_ada"]
    assert (full_run.run.imported, Subscription.objects.count()) == (0, 0)


def test_a_dry_full_run_counts_whom_it_would_take_over_and_writes_nothing(full_run):
    full_run.is_dry = True
    doubtful(full_run, theirs())
    assert (full_run.run.imported, Customer.objects.count(), Subscription.objects.count()) == (1, 0, 0)


def test_what_differs_is_said_from_both_sides_and_what_does_not_is_not_said():
    before, after = {**comparing.NONE_YET, "status": "active"}, {**comparing.NONE_YET, "status": "canceled"}
    assert comparing.between(before, after) == {"status": ("active", "canceled")}
    assert comparing.between(None, after) == {"status": (comparing.NONE_YET["status"], "canceled")}
    assert comparing.between(before, None) == {"status": ("active", comparing.NONE_YET["status"])}
    assert comparing.between(None, None) == {}


def test_how_far_a_run_has_come_is_on_record_while_it_reads_and_no_more_when_it_is_done(full_run, monkeypatch):
    """Each page is saved here; a dry run saves nothing."""
    monkeypatch.setattr(full, "SAVE_EVERY_SECONDS", -1)
    run, seen = full_run.run, []

    def reading(stretches):
        yield [{"id": "cus_ada"}]

    class Reader:
        def __init__(self, stretches):
            self.stretches = list(stretches)

        def __iter__(self):
            return reading(self.stretches)

        def left(self):
            return [[7, 9]]

    monkeypatch.setattr(full, "Reader", Reader)
    for is_dry in (True, False):
        if not is_dry:
            run.save()
        progress = {"began": "then", "left": {"subscriptions": []}}
        full._read("customers", seen.append, run, progress, lambda: None, is_dry=is_dry)
        assert progress["left"] == {"subscriptions": [], "customers": []}
        saved = SyncRun.objects.values_list("progress", flat=True).first()
        assert saved == (None if is_dry else {"began": "then", "left": {"subscriptions": [], "customers": [[7, 9]]}})
    assert seen == [[{"id": "cus_ada"}]] * 2


def test_whom_a_checkout_of_this_moment_gave_a_customer_keeps_it_as_the_current_one(full_run):
    ada = get_user_model().objects.create_user("ada@example.com")
    first, second = ours(), ours("cus_second")
    Customer.objects.link(first.customer.pk, ada.pk)
    Customer.objects.link(second.customer.pk, ada.pk)
    Customer.objects.link(first.customer.pk, get_user_model().objects.create_user("ben@example.com").pk)
    assert {row.subscriber_id for row in Customer.objects.all()} == {ada.pk}
    assert Customer.objects.get(is_current=True).pk == "cus_ada"


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_a_row_that_a_webhook_wrote_after_it_was_taken_over_stays_as_the_webhook_says(full_run, is_refreshed):
    pages = list_pages.SubscriptionPages(full_run)
    pages([theirs(status="canceled", ended_at=5, id="sub_0"), theirs("cus_ben", status="canceled", ended_at=5)])
    if is_refreshed:
        Subscription.objects.filter(customer="cus_ada").update(fetched_at=full_run.began + SOON)
    pages([theirs()])
    counts = Subscription.objects.get(customer="cus_ada", counts=True).stripe_id
    assert counts == ("sub_0" if is_refreshed else "sub_1")
    assert list(full_run.doubtful) == (["cus_ada"] if is_refreshed else [])
    assert Subscription.objects.get(customer="cus_ben").status == "canceled"


def test_taking_over_adds_what_is_not_there_and_leaves_what_is():
    plan = Plan.objects.get(slug="swept")
    for name in ("ben", "eve"):
        Customer.objects.create(pk=f"cus_{name}")
    Subscription.objects.create(customer_id="cus_ben", stripe_id="sub_ben", status="unpaid", plan=plan)
    list_pages.take_over(
        [(Subscription(customer_id=f"cus_{name}", stripe_id=f"sub_{name}", status="active", plan=plan, counts=False),
          theirs(f"cus_{name}")) for name in ("ben", "eve")]
    )  # fmt: skip
    rows = Subscription.objects.order_by("customer").values_list("customer", "status", "counts")
    assert list(rows) == [("cus_ben", "unpaid", True), ("cus_eve", "active", True)]
    assert told() == ["cus_eve"]


def test_access_that_was_there_is_noted_for_who_is_taken_over_and_for_nobody_else():
    for name, status in (("ada", "active"), ("ben", "active"), ("eve", "unpaid")):
        ours(f"cus_{name}", status=status)
    list_pages._note_access(["cus_ada", "cus_eve"])
    assert told() == ["cus_ada"]


def test_access_that_was_there_is_noted_for_the_subscriber_where_there_is_one():
    users = {name: get_user_model().objects.create_user(f"{name}@example.com") for name in ("ben", "eve", "zoe")}
    for name, status in (("ada", "active"), ("ben", "active"), ("eve", "unpaid"), ("zoe", "active")):
        ours(f"cus_{name}", status=status)
        Customer.objects.filter(pk=f"cus_{name}").update(subscriber=users.get(name))
    list_pages._note_access(["cus_ada", "cus_ben", "cus_eve"])
    noted = AnnouncedAccess.objects.order_by("pk").values_list("customer", "subscriber__email", "line", "is_granted")
    assert sorted(noted, key=str) == [("cus_ada", None, "main", True), (None, "ben@example.com", "main", True)]


def test_access_noted_as_lost_is_noted_as_there_again():
    ours()
    AnnouncedAccess.objects.create(customer_id="cus_ada", line="main", is_granted=False)
    list_pages._note_access(["cus_ada"])
    assert (told(), AnnouncedAccess.objects.count()) == (["cus_ada"], 1)

"""A change of plan goes on with a row of its own subscriber's, for this very price, not too long ago."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import usage
from billing.lifecycle import previews
from billing.lifecycle.live_subscription import Standing
from billing.lifecycle.refusals import StalePreview
from billing.models import Customer, Plan, PlanChange, PlanLimit, Price
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
AT = 1500  # within the period of `item`


@pytest.fixture(autouse=True)
def clock(settings, time_machine):
    settings.BILLING_CLOCK = ""
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


@pytest.fixture
def prices():
    made = []
    for rank, slug in enumerate(("low", "high")):
        plan = Plan.objects.create(slug=slug, name=slug, rank=rank)
        made.append(Price.objects.create(pk=f"price_{slug}", plan=plan, currency="usd", unit_amount=1000 * (rank + 1),
                                         interval="month"))  # fmt: skip
    return made


@pytest.fixture
def now(prices):
    for name in ("ada", "ben"):
        Customer.objects.create(pk=f"cus_{name}")
    return Standing(Customer.objects.get(pk="cus_ada"), found(items=[item(quantity=2)]))


def row(status="previewed", ago=timedelta(0), **columns):
    usual = {"customer_id": "cus_ada", "subscription_id": "sub_1", "price_id": "price_high", "quantity": 2}
    made = PlanChange.objects.create(**{**usual, "proration_date": AT, "status": status, **columns})
    PlanChange.objects.filter(pk=made.pk).update(created_at=timezone.now() - ago)
    return PlanChange.objects.get(pk=made.pk)


OTHERS = [
    {"customer_id": "cus_ben"},
    {"subscription_id": "sub_2"},
    {"price_id": "price_low"},
    {"ago": previews.VALID_FOR},
]


@pytest.mark.parametrize(
    ("status", "dated", "undated"),
    [("asked", True, True), ("made", True, False), ("previewed", False, False), ("refused", False, False)],
)
def test_a_change_was_made_if_it_was_asked_for_or_made_a_moment_ago(now, prices, status, dated, undated):
    row(status, ago=previews.VALID_FOR - TICK)
    assert previews.was_made(now, prices[1], AT) is dated
    assert previews.was_made(now, prices[1], None) is undated
    assert previews.was_made(now, prices[1], AT + 1) is False


@pytest.mark.parametrize("columns", OTHERS)
def test_what_another_asked_for_something_else_or_long_ago_is_not_this_change(now, prices, columns):
    row("asked", **columns)
    assert not previews.was_made(now, prices[1], AT)
    assert not previews.was_made(now, prices[1], None)


@pytest.mark.parametrize("status", ["previewed", "asked"])
def test_what_was_previewed_or_asked_is_gone_on_with_the_newest_first(now, prices, status):
    row(status, ago=previews.VALID_FOR - TICK)
    newest = row(status, ago=TICK)
    assert previews.intended_change(now, prices[1], AT) == newest


@pytest.mark.parametrize(
    "columns", [*OTHERS, {"quantity": 1}, {"status": "made"}, {"status": "refused"}, {"proration_date": AT + 1}]
)
def test_a_date_that_was_not_previewed_for_just_this_is_stale(now, prices, columns):
    row(**columns)
    with pytest.raises(StalePreview):
        previews.intended_change(now, prices[1], AT)
    assert PlanChange.objects.count() == 1


@pytest.mark.parametrize(("at", "is_stale"), [(999, True), (1000, False)])
def test_a_date_before_the_running_period_is_stale(now, prices, at, is_stale):
    made = row(proration_date=at)
    if not is_stale:
        assert previews.intended_change(now, prices[1], at) == made
        return
    with pytest.raises(StalePreview):
        previews.intended_change(now, prices[1], at)


def test_without_a_date_what_was_asked_is_asked_again_else_it_is_a_new_change_of_now(now, prices, clock):
    row("previewed")
    row("made")
    made = previews.intended_change(now, prices[1], None)
    assert (made.customer_id, made.subscription_id, made.price, made.quantity) == ("cus_ada", "sub_1", prices[1], 2)
    assert (made.status, made.proration_date) == ("previewed", int(clock.timestamp()))
    asked = [row("asked", ago=ago) for ago in (2 * TICK, TICK)]
    assert previews.intended_change(now, prices[1], None) == asked[1]


@pytest.mark.parametrize(("ago", "status", "is_kept"), [
    (previews.KEPT_FOR, "previewed", True), (previews.KEPT_FOR + TICK, "previewed", False),
    (previews.KEPT_FOR + TICK, "made", True), (previews.KEPT_FOR + TICK, "asked", True),
])  # fmt: skip
def test_a_preview_of_a_day_ago_is_forgotten_and_what_was_asked_is_not(now, ago, status, is_kept):
    row(status, ago=ago)
    row(ago=2 * previews.KEPT_FOR, customer_id="cus_ben")
    previews.delete_old(now.customer)
    assert sorted(PlanChange.objects.values_list("customer", flat=True)) == ["cus_ada"] * is_kept + ["cus_ben"]


# What is shown


def line(amount, end, description="Pro", price="price_high"):
    pricing = {"price_details": {"price": price}}
    return {"description": description, "amount": amount, "period": {"start": 1000, "end": end}, "pricing": pricing}


def shown(now, price, what, invoice):
    return previews._preview_of(None, now, price, what, AT, invoice)


@pytest.mark.parametrize(
    ("limit", "over"), [({}, 12), ({"quantity": None}, None), ({"quantity": 12}, None), ({"quantity": 5}, 7)]
)
def test_what_is_used_above_the_limits_of_the_new_plan_is_named(prices, monkeypatch, limit, over):
    if limit:
        PlanLimit.objects.create(plan=prices[0].plan, feature="exports", **limit)
    used = {"exports": usage.Quota(12, None), "unused": usage.Quota(0, None)}
    monkeypatch.setattr(usage, "summary", lambda subscriber: used)
    found_ = OVERFLOWS(None, Price.objects.get(pk="price_low"), [])
    assert [(one.feature, one.used, one.over_by) for one in found_] == ([] if over is None else [("exports", 12, over)])


OVERFLOWS = previews._overflows


@pytest.fixture(autouse=True)
def nothing_used(monkeypatch):
    monkeypatch.setattr(previews, "_overflows", lambda subscriber, price, add_ons: ["too much"])


def test_an_upgrade_shows_its_invoice_and_when_the_new_period_ends(now, prices, clock):
    invoice = {
        "amount_due": 700,
        "total": 700,
        "lines": {"data": [line(-300, 9000, None, "price_low"), line(1000, 5000)]},
    }
    found_ = shown(now, prices[1], previews.Effect.NOW, invoice)
    assert (found_.amount_due, found_.credit, found_.renewal_amount) == (700, 0, 2 * 2000)
    assert [(one.description, one.amount) for one in found_.lines] == [("", -300), ("Pro", 1000)]
    assert [one.period_start for one in found_.lines] == [previews.from_timestamp(1000)] * 2
    assert (found_.renews_at, found_.takes_effect_at) == (previews.from_timestamp(5000), clock)
    assert (found_.overflows, found_.proration_date, found_.currency) == (["too much"], AT, "usd")


def test_what_unused_time_leaves_over_is_shown_as_credit(now, prices):
    invoice = {"amount_due": 0, "total": -250, "lines": {"data": [line(-250, 1800, price="price_low")]}}
    found_ = shown(now, prices[1], previews.Effect.NOW, invoice)
    assert (found_.amount_due, found_.credit, found_.renews_at) == (0, 250, previews.from_timestamp(2000))


@pytest.mark.parametrize("what", [previews.Effect.PERIOD_END, previews.Effect.TAKES_BACK])
def test_what_charges_nothing_now_shows_no_invoice(now, prices, clock, what):
    found_ = shown(now, prices[0], what, {})
    assert (found_.amount_due, found_.credit, found_.lines, found_.renewal_amount) == (0, 0, [], 2 * 1000)
    end = previews.from_timestamp(2000)
    is_later = what == previews.Effect.PERIOD_END
    assert (found_.takes_effect_at, found_.renews_at) == (end if is_later else clock, end)
    assert found_.overflows == (["too much"] if is_later else [])


def test_a_currency_that_the_price_has_not_renews_at_nothing(prices):
    eur = Standing(Customer(pk="cus_1"), found(currency="eur"))
    assert shown(eur, prices[1], previews.Effect.PERIOD_END, {}).renewal_amount is None

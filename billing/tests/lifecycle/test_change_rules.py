"""One table of states says whether a plan may change, and when, and who is refused in which words."""

import pytest

from billing.lifecycle import change, change_rules, refusals
from billing.lifecycle.live_subscription import Standing
from billing.models import Customer, Plan, Price
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


@pytest.fixture
def prices():
    """A low and a high plan by the month, and the low one by the year."""
    made = {}
    for rank, (slug, interval) in enumerate([("low", "month"), ("high", "month"), ("low", "year")]):
        plan, _ = Plan.objects.get_or_create(slug=slug, defaults={"name": slug, "rank": rank})
        name = f"{slug}_{interval}"
        made[name] = Price.objects.create(
            pk=f"price_{name}", plan=plan, currency="usd", unit_amount=1, interval=interval
        )
    return made


def standing(on="low_month", pending="", **changes):
    """On a price, perhaps changing to the price `pending` when an invoice is paid."""
    update = {"subscription_items": [item(f"price_{pending}")], "expires_at": 9} if pending else None
    return Standing(Customer(pk="cus_1"), found(items=[item(f"price_{on}")], pending_update=update, **changes))


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("active", None),
        ("trialing", None),
        ("past_due", refusals.PaymentOverdue),
        ("unpaid", refusals.PaymentOverdue),
        ("incomplete", refusals.PaymentOverdue),
        ("paused", refusals.SubscriptionPaused),
        ("canceled", refusals.NoSubscription),
        ("incomplete_expired", refusals.NoSubscription),
    ],
)
def test_each_status_lets_a_plan_change_or_says_what_to_do_first(prices, status, refusal):
    now = standing(status=status)
    if refusal is None:
        assert change_rules.effect(now, prices["high_month"]) == "now"
        return
    with pytest.raises(refusal):
        change_rules.effect(now, prices["high_month"])


@pytest.mark.parametrize("ending", [{"cancel_at_period_end": True}, {"cancel_at": 5000}])
def test_what_is_to_end_is_resumed_first(prices, ending):
    with pytest.raises(refusals.CancellationScheduled):
        change_rules.effect(standing(**ending), prices["high_month"])


@pytest.mark.parametrize(
    ("on", "to", "effect"),
    [
        ("low_month", "high_month", "now"),
        ("low_month", "low_year", "now"),
        ("low_year", "high_month", "now"),
        ("high_month", "low_month", "period_end"),
        ("high_month", "low_year", "period_end"),
        ("low_year", "low_month", "period_end"),
    ],
)
def test_more_starts_now_and_less_with_the_next_period(prices, on, to, effect):
    assert change_rules.effect(standing(on), prices[to]) == effect
    assert change_rules.effect(standing(on, status="trialing"), prices[to]) == "now"


@pytest.mark.parametrize(
    ("on", "to", "effect"),
    [
        (("month", 1), ("month", 3), "now"),
        (("month", 3), ("month", 1), "period_end"),
        (("year", 1), ("month", 12), "period_end"),
        (("month", 12), ("year", 1), "period_end"),
        (("month", 18), ("year", 1), "period_end"),
        (("year", 1), ("month", 18), "now"),
        (("week", 2), ("day", 10), "period_end"),
    ],
)
def test_intervals_are_compared_by_their_length_with_the_count(prices, on, to, effect):
    for name, (interval, count) in (("low_month", on), ("low_year", to)):
        prices[name].interval, prices[name].interval_count = interval, count
        prices[name].save()
    assert change_rules.effect(standing(), prices["low_year"]) == effect


def test_another_currency_is_refused_before_anything_is_asked(prices):
    with pytest.raises(refusals.PriceNotOffered, match="You pay in EUR, and we don't sell high in that currency"):
        change_rules.effect(standing(currency="eur"), prices["high_month"])
    prices["high_month"].currency_options = {"eur": 1}
    assert change_rules.effect(standing(currency="eur"), prices["high_month"]) == "now"


def test_while_a_change_waits_to_be_paid_only_it_and_taking_it_back_may_be_chosen(prices):
    waiting = standing(pending="high_month")
    assert change_rules.effect(waiting, prices["high_month"]) == "now"
    assert change_rules.effect(waiting, prices["low_month"]) == "takes_back"
    with pytest.raises(refusals.ChangePending):
        change_rules.effect(waiting, prices["low_year"])


def test_what_one_has_already_is_refused_in_words_with_its_interval(prices):
    with pytest.raises(refusals.SamePlan, match=r"^You already have this plan, billed monthly\.$"):
        change_rules.effect(standing(), prices["low_month"])


def test_only_a_live_subscription_has_a_change_to_take_back(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    with pytest.raises(refusals.NoSubscription):
        change.take_back(ada.user)
    with pytest.raises(refusals.NoPendingChange):
        change.take_back(ben.user)


def test_a_change_that_waits_for_the_period_is_replaced_by_another_such_and_not_by_one_that_starts_now(prices):
    """A schedule holds it; a change that waits for its payment lets nothing else be chosen: see above."""
    items = [item("price_high_month")]
    phase = {"start_date": 2000, "items": [{"price": "price_low_month", "quantity": 1}]}
    schedule = {"status": "active", "current_phase": {"start_date": 1000, "end_date": 2000}, "phases": [phase]}
    now = Standing(Customer(pk="cus_1"), found(items=items, schedule=schedule))
    assert change_rules.effect(now, prices["low_month"]) == "period_end"
    assert change_rules.effect(now, prices["low_year"]) == "period_end"
    assert change_rules.effect(now, prices["high_month"]) == "takes_back"
    top = Plan.objects.create(slug="top", name="top", rank=9)
    highest = Price.objects.create(pk="price_top", plan=top, currency="usd", unit_amount=1, interval="month")
    with pytest.raises(refusals.ChangePending):
        change_rules.effect(now, highest)

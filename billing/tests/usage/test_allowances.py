"""Use is counted exactly, within the plan that is in effect."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing import signals, usage
from billing.models import Customer, Grant, Hold, Plan, PlanLimit, Price, Subscription, Usage

from ..parallel import at_once

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 10, tzinfo=UTC)
END = datetime(2026, 6, 10, tzinfo=UTC)


def subscribe(user, slug, status="active", start=START):
    plan = Plan.objects.get(slug=slug)
    price, _ = Price.objects.get_or_create(
        pk=f"price_{slug}", defaults={"plan": plan, "currency": "usd", "unit_amount": 2000, "interval": "month"}
    )
    customer, _ = Customer.objects.get_or_create(pk=f"cus_{user.email}", defaults={"subscriber": user})
    defaults = {
        "stripe_id": f"sub_{user.email}",
        "status": status,
        "plan": plan,
        "price": price,
        "current_period_start": start,
    }
    subscription, _ = Subscription.objects.update_or_create(
        customer=customer, defaults={**defaults, "current_period_start": start, "current_period_end": END}
    )
    return subscription


def test_who_never_paid_has_the_free_plans_limit(ada):
    assert usage.consume(ada, "generations", 4) == usage.Quota(used=4, limit=10)
    assert usage.consume(ada, "generations").remaining == 5


def test_a_subscriber_has_the_paid_plans_limit(ada):
    subscribe(ada, "pro")
    assert usage.consume(ada, "generations", 1000).remaining == 0


def test_more_than_what_is_left_is_refused_whole(ada):
    usage.consume(ada, "generations", 8)
    with pytest.raises(usage.QuotaExceeded) as refusal:
        usage.consume(ada, "generations", 3)
    assert (refusal.value.used, refusal.value.limit) == (8, 10)
    assert usage.consume(ada, "generations", 2).remaining == 0


def test_more_than_the_limit_at_once_is_refused_without_a_row_used(ada):
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations", 11)
    assert usage.summary(ada)["generations"].used == 0


def test_a_feature_the_plan_does_not_name_gives_no_access(ada):
    with pytest.raises(usage.NoAccess):
        usage.consume(ada, "exports")


def test_a_limit_of_none_never_ends(ada):
    PlanLimit.objects.create(plan=Plan.objects.get(slug="free"), feature="views", quantity=None)
    assert usage.consume(ada, "views", 1_000_000).remaining is None


@pytest.mark.parametrize("quantity", [0, -1])
def test_use_is_at_least_one(ada, quantity):
    with pytest.raises(ValueError, match="at least 1"):
        usage.consume(ada, "generations", quantity)


def test_a_new_period_starts_at_nothing(ada):
    subscription = subscribe(ada, "pro")
    with time_machine.travel(START):
        usage.consume(ada, "generations", 1000)
    subscription.current_period_start = END
    subscription.save()
    with time_machine.travel(END):
        assert usage.consume(ada, "generations").used == 1
    assert sorted(Usage.objects.values_list("used", flat=True)) == [1, 1000]


def test_a_years_subscription_counts_each_of_its_months(ada):
    subscribe(ada, "pro")
    for month in (5, 6, 12):
        with time_machine.travel(datetime(2026, month, 10, tzinfo=UTC)):
            assert usage.consume(ada, "generations", 1000).remaining == 0
    with time_machine.travel(datetime(2027, 1, 9, 23, 59, tzinfo=UTC)), pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")


@pytest.mark.parametrize(
    ("anchor", "at", "start", "end"),
    [
        ((2026, 1, 31), (2026, 2, 27), (2026, 1, 31), (2026, 2, 28)),
        ((2026, 1, 31), (2026, 2, 28), (2026, 2, 28), (2026, 3, 31)),
        ((2026, 1, 31), (2026, 12, 30), (2026, 11, 30), (2026, 12, 31)),
        ((2026, 1, 31), (2027, 1, 31), (2027, 1, 31), (2027, 2, 28)),
        ((2026, 5, 10), (2026, 5, 1), (2026, 5, 10), (2026, 6, 10)),
    ],
)
def test_months_are_counted_from_the_day_the_period_began(anchor, at, start, end):
    anchor, at, start, end = (datetime(*day, tzinfo=UTC) for day in (anchor, at, start, end))
    assert usage.month_of(anchor, at) == (start, end)


def test_a_month_begins_at_midnight_of_its_first_day_in_utc():
    moment = datetime(2026, 5, 31, 23, 59, 58, 7, tzinfo=timezone(timedelta(hours=-2)))
    assert usage.month_start(moment) == datetime(2026, 6, 1, tzinfo=UTC)


def test_the_free_plan_counts_in_calendar_months_of_utc(ada):
    with time_machine.travel(datetime(2026, 5, 31, 23, 59, tzinfo=UTC)):
        usage.consume(ada, "generations", 10)
    with time_machine.travel(datetime(2026, 6, 1, tzinfo=UTC)):
        assert usage.consume(ada, "generations").used == 1


def test_after_a_downgrade_the_true_count_stays_and_new_use_is_refused(ada):
    subscribe(ada, "team")
    usage.consume(ada, "generations", 4000)
    subscribe(ada, "pro")
    assert usage.summary(ada) == {"generations": usage.Quota(used=4000, limit=1000)}
    assert usage.summary(ada)["generations"].remaining == 0
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")


def test_without_access_the_free_plan_is_in_effect(ada):
    subscribe(ada, "pro", status="unpaid")
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations", 11)


def test_a_stranger_does_not_use_up_what_is_mine(ada):
    charlie = get_user_model().objects.create_user("charlie@example.com")
    usage.consume(charlie, "generations", 10)
    assert usage.summary(ada)["generations"].used == 0


def test_each_has_a_count_of_their_own_however_much_another_uses(ada):
    charlie = get_user_model().objects.create_user("charlie@example.com")
    assert usage.consume(charlie, "generations", 9).used == 9
    assert usage.consume(ada, "generations", 2).used == 2
    assert usage.consume(charlie, "generations").used == 10
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(charlie, "generations")
    assert usage.consume(ada, "generations") == usage.Quota(used=3, limit=10)
    assert dict(Usage.objects.values_list("subscriber", "used")) == {ada.pk: 3, charlie.pk: 10}


def test_each_feature_has_a_count_of_its_own(ada):
    PlanLimit.objects.create(plan=Plan.objects.get(slug="free"), feature="views", quantity=3)
    usage.consume(ada, "generations", 4)
    assert usage.consume(ada, "views", 3) == usage.Quota(used=3, limit=3)
    assert usage.consume(ada, "generations").used == 5
    assert {name: quota.used for name, quota in usage.summary(ada).items()} == {"generations": 5, "views": 3}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_get_exactly_what_the_limit_allows(ada):
    outcomes = at_once(lambda _: usage.consume(ada, "generations"), 50)
    granted = [outcome for outcome in outcomes if isinstance(outcome, usage.Quota)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, usage.QuotaExceeded)]
    assert sorted(quota.used for quota in granted) == list(range(1, 11))
    assert len(refused) == 40
    assert Usage.objects.get().used == 10


def test_what_is_too_much_says_by_how_much_and_until_when(ada):
    with time_machine.travel(datetime(2026, 5, 20, tzinfo=UTC)):
        usage.consume(ada, "generations", 8)
        with pytest.raises(usage.QuotaExceeded, match=r"would be 1 too many.*2026-06-01 at 00:00 UTC") as refusal:
            usage.consume(ada, "generations", 3)
    assert (refusal.value.over, refusal.value.resets_at) == (1, datetime(2026, 6, 1, tzinfo=UTC))


def test_losing_access_within_a_paid_period_keeps_the_count_until_that_period_ends(ada):
    subscription = subscribe(ada, "pro")
    with time_machine.travel(datetime(2026, 5, 12, tzinfo=UTC)):
        usage.consume(ada, "generations", 900)
        subscription.status = "unpaid"
        subscription.save()
        assert usage.summary(ada)["generations"].overflow == 890
        with pytest.raises(usage.QuotaExceeded):
            usage.consume(ada, "generations")
    with time_machine.travel(END):
        assert usage.consume(ada, "generations").used == 1


@pytest.fixture
def overflows():
    """Return a list that fills with the overflows heard: whose, of which feature, used, limit."""
    heard = []

    def hear(**said):
        heard.append((said["subscriber"].email, said["feature"], said["used"], said["limit"]))

    signals.quota_overflowed.connect(hear)
    yield heard
    signals.quota_overflowed.disconnect(hear)


def test_an_overflow_is_announced_once_for_each_real_transition(ada, overflows):
    with time_machine.travel(datetime(2026, 5, 12, tzinfo=UTC)):
        subscribe(ada, "team")
        usage.consume(ada, "generations", 4000)
        for slug in ("team", "pro", "pro", "team", "pro"):
            subscribe(ada, slug)
            usage.announce_overflow(ada)
    assert overflows == [("ada@example.com", "generations", 4000, 1000)] * 2


@pytest.mark.parametrize(("used", "is_told"), [(999, False), (1000, False), (1001, True)])
def test_use_overflows_above_the_limit_and_not_at_it(ada, overflows, used, is_told):
    ben = get_user_model().objects.create_user("ben@example.com")
    with time_machine.travel(datetime(2026, 5, 12, tzinfo=UTC)):
        for who, count in ((ada, used), (ben, 4000)):
            subscribe(who, "team")
            usage.consume(who, "generations", count)
        subscribe(ada, "pro")
        usage.announce_overflow(ada)
    assert overflows == ([("ada@example.com", "generations", used, 1000)] if is_told else [])
    flags = dict(Usage.objects.values_list("subscriber", "has_announced_overflow"))
    assert flags == {ada.pk: is_told, ben.pk: False}


# Grants of a feature


def give(user, feature="generations", quantity=None, **columns):
    usual = {"granted_at": START, "source": f"source {feature} {quantity}"}
    return Grant.objects.create(subscriber=user, feature=feature, quantity=quantity, **{**usual, **columns})


def test_a_given_quantity_adds_to_the_limit_of_each_month_while_it_is_in_force(ada):
    give(ada, quantity=500, until=START + timedelta(days=40))
    for at, limit in ((START, 510), (START + timedelta(days=30), 510), (START + timedelta(days=40), 10)):
        with time_machine.travel(at, tick=False):
            assert usage.summary(ada)["generations"].limit == limit
    with time_machine.travel(START, tick=False):
        subscribe(ada, "pro")
        give(ada, quantity=7)
        assert usage.consume(ada, "generations", 1507).remaining == 0


def test_a_feature_given_without_a_quantity_has_no_limit_and_needs_no_plan(ada):
    give(ada)
    give(ada, "exports", 3)
    assert usage.consume(ada, "generations", 99_999).remaining is None
    assert usage.consume(ada, "exports", 3).remaining == 0
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "exports")


def test_what_was_given_is_withheld_by_a_hold_of_everything(ada):
    subscribe(ada, "pro")
    give(ada, "exports", 3)
    customer = Customer.objects.get()
    hold = Hold.objects.create(customer=customer, kind="staff", reference="case 7", placed_at=START)
    with pytest.raises(usage.NoAccess):
        usage.consume(ada, "exports")
    Hold.objects.filter(pk=hold.pk).update(subscription_id="sub_other")
    assert usage.consume(ada, "exports").remaining == 2


# A limit is per month, however often a subscriber pays


@pytest.fixture
def window(ada):
    """The month that counts at a day, of a subscription by this anchor whose running period is given."""

    def at(day, anchor, start, end):
        subscription = subscribe(ada, "pro")
        moments = (datetime(2026, *moment, 9, tzinfo=UTC) for moment in (anchor, start, end))
        subscription.billing_cycle_anchor, subscription.current_period_start, subscription.current_period_end = moments
        subscription.save()
        with time_machine.travel(datetime(2026, *day, 12, tzinfo=UTC)):
            granted = usage.allowance(ada)
        assert granted.period_start.hour == 9
        return [(moment.month, moment.day) for moment in (granted.period_start, granted.period_end)]

    return at


@pytest.mark.parametrize(
    ("day", "anchor", "start", "end", "month"),
    [
        ((3, 29), (1, 31), (2, 28), (3, 31), [(2, 28), (3, 31)]),  # by the month, from the 31st
        ((4, 2), (1, 31), (3, 31), (4, 30), [(3, 31), (4, 30)]),
        ((5, 12), (5, 4), (5, 11), (5, 18), [(5, 4), (6, 4)]),  # by the week
        ((6, 5), (5, 4), (6, 1), (6, 8), [(6, 4), (7, 4)]),
        ((5, 20), (4, 30), (4, 30), (7, 30), [(4, 30), (5, 30)]),  # by the quarter
        ((11, 10), (1, 31), (1, 31), (12, 31), [(10, 31), (11, 30)]),  # by a long period
        ((5, 20), (5, 25), (5, 11), (5, 25), [(5, 11), (6, 11)]),  # the anchor lies ahead, as in a trial
        ((5, 26), (5, 25), (5, 25), (6, 25), [(5, 25), (6, 25)]),
    ],
)
def test_months_are_counted_from_the_billing_cycle_anchor(window, day, anchor, start, end, month):
    assert window(day, anchor, start, end) == month


def test_who_pays_weekly_has_the_months_limit_once_a_month(ada):
    subscription = subscribe(ada, "pro")
    subscription.billing_cycle_anchor = START
    subscription.save()
    for week in range(4):
        subscription.current_period_start = START + timedelta(weeks=week)
        subscription.current_period_end = START + timedelta(weeks=week + 1)
        subscription.save()
        with time_machine.travel(subscription.current_period_start + timedelta(hours=1)):
            assert usage.consume(ada, "generations", 250).used == 250 * (week + 1)
    with time_machine.travel(END - timedelta(hours=1)), pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")


def test_an_anchor_that_is_moved_to_now_starts_a_month_now(ada):
    subscription = subscribe(ada, "pro")
    subscription.billing_cycle_anchor = START
    subscription.save()
    moved = START + timedelta(days=10)
    with time_machine.travel(moved):
        usage.consume(ada, "generations", 900)
    subscription.billing_cycle_anchor = subscription.current_period_start = moved
    subscription.current_period_end = moved + timedelta(days=31)
    subscription.save()
    with time_machine.travel(moved + timedelta(days=1)):
        assert usage.summary(ada)["generations"].used == 0
        assert usage.allowance(ada).period_end == moved.replace(month=6)


# Several subscriptions


def beside(first, slug, line, quantity, anchor, **columns):
    """Another subscription of the same customer, with a limit of generations and a feature of its own."""
    plan = Plan.objects.create(slug=slug, name=slug, line=line, rank=9)
    for feature, limit in (("generations", quantity), ("gigabytes", 100)):
        PlanLimit.objects.create(plan=plan, feature=feature, quantity=limit)
    return Subscription.objects.create(
        customer=first.customer, stripe_id=f"sub_{slug}", status="active", plan=plan, line=line,
        billing_cycle_anchor=anchor, current_period_start=anchor, current_period_end=anchor + timedelta(days=31),
        **columns,
    )  # fmt: skip


FIFTEENTH = datetime(2026, 5, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "day"), [(999, 10), (1000, 10), (1001, 15), (None, 15)], ids=["less", "as much", "more", "no limit"]
)
def test_the_months_of_a_feature_are_those_of_the_line_that_gives_most_of_it(ada, given, day):
    beside(subscribe(ada, "pro"), "storage", "storage", given, FIFTEENTH)
    with time_machine.travel(datetime(2026, 5, 20, tzinfo=UTC)):
        granted = usage.allowance(ada)
        quota = usage.consume(ada, "generations")
    assert granted.period_of("generations")[0].day == quota.resets_at.day == day
    assert granted.period_of("gigabytes")[0].day == 15


def test_each_feature_is_counted_and_shown_in_its_own_months(ada, overflows):
    first = subscribe(ada, "pro")
    beside(first, "storage", "storage", 5, FIFTEENTH)
    with time_machine.travel(datetime(2026, 5, 20, tzinfo=UTC)):
        usage.consume(ada, "gigabytes", 90)
        usage.consume(ada, "generations", 1005)
    with time_machine.travel(datetime(2026, 6, 12, tzinfo=UTC)):
        ends_at = END + timedelta(days=30)
        Subscription.objects.filter(pk=first.pk).update(current_period_start=END, current_period_end=ends_at)
        assert usage.summary(ada) == {"generations": usage.Quota(0, 1005), "gigabytes": usage.Quota(90, 100)}
        PlanLimit.objects.filter(feature="gigabytes").update(quantity=80)
        usage.announce_overflow(ada)
    assert overflows == [("ada@example.com", "gigabytes", 90, 80)]


def test_of_two_subscriptions_in_a_line_the_months_are_those_of_the_one_that_counts(ada):
    first = subscribe(ada, "pro")
    Subscription.objects.filter(pk=first.pk).update(counts=False)
    beside(first, "larger", "main", 5000, FIFTEENTH)
    with time_machine.travel(datetime(2026, 5, 20, tzinfo=UTC)):
        assert usage.consume(ada, "generations", 4000).resets_at.day == 15
    Subscription.objects.filter(stripe_id="sub_larger").update(counts=False)
    Subscription.objects.filter(pk=first.pk).update(counts=True)
    with time_machine.travel(datetime(2026, 5, 21, tzinfo=UTC)):
        assert usage.consume(ada, "generations", 1000).resets_at.day == 10


def test_the_free_plan_beside_another_line_keeps_the_months_of_the_paid_period_that_runs(ada):
    first = subscribe(ada, "pro")
    beside(first, "storage", "storage", 5, FIFTEENTH)
    with time_machine.travel(datetime(2026, 5, 20, tzinfo=UTC)):
        usage.consume(ada, "generations", 900)
        Subscription.objects.filter(pk=first.pk).update(status="canceled")
        assert usage.summary(ada)["generations"] == usage.Quota(900, 15)


@pytest.mark.postgres
@pytest.mark.parametrize("limit", [2**40, None])
def test_tokens_and_bytes_are_counted_beyond_what_32_bits_hold(ada, limit):
    PlanLimit.objects.filter(plan__slug="free", feature="generations").update(quantity=limit)
    assert usage.consume(ada, "generations", 2**35).used == 2**35
    assert usage.consume(ada, "generations", 2**35).used == 2**36

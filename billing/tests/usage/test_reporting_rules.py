"""Each rule of a report alone: what is cut, dated, claimed, sent and settled, and a bystander's report stays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import stripe
import time_machine

from billing.lanes import tries
from billing.models import (
    Alert,
    Credit,
    Customer,
    NextCharge,
    OveragePrice,
    Plan,
    Price,
    Subscription,
    SubscriptionItem,
    Usage,
    UsageReport,
)
from billing.stripe_client import StripeUnavailable
from billing.usage import allowance, overage, reporting

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = NOW - 9 * DAY


@pytest.fixture(autouse=True)
def noon(settings):
    settings.BILLING_CLOCK = ""
    settings.BILLING_SPEND_CAP = {}
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def price():
    plan = Plan.objects.create(slug="metered", name="Metered", rank=500)
    plan.limits.create(feature="exports", quantity=5, overage={"usd": "30"})
    Price.objects.create(pk="price_plan", plan=plan, currency="usd", unit_amount=1, interval="month")
    return OveragePrice.objects.create(
        pk="price_beyond", plan=plan, feature="exports", interval="month", amounts={"usd": "30", "eur": "2.5"},
        event_name="billing_exports",
    )  # fmt: skip


def subscribed(user, **columns):
    name = user.email.partition("@")[0]
    customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
    sold = Price.objects.get(pk="price_plan")
    usual = {
        "status": "active", "plan": sold.plan, "price": sold, "currency": "usd", "current_period_start": START,
        "current_period_end": START + 31 * DAY, "billing_cycle_anchor": START, "started_at": START,
    }  # fmt: skip
    row = Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", **{**usual, **columns})
    SubscriptionItem.objects.create(
        subscription=row, stripe_id=f"si_{name}", stripe_price="price_beyond", is_metered=True, currency="usd"
    )
    return row


def counter(user, used=4, reported=1, **columns):
    name = user.email.partition("@")[0]
    usual = {
        "feature": "exports", "period_start": START, "used": 5, "has_overage": True, "overage_at": NOW - HOUR,
        "overage_price": "price_beyond", "overage_subscription": f"sub_{name}",
    }  # fmt: skip
    return Usage.objects.create(subscriber=user, overage=used, reported=reported, **{**usual, **columns})


def report(usage, **columns):
    name = usage.subscriber.email.partition("@")[0]
    usual = {
        "price_id": "price_beyond", "customer_id": f"cus_{name}", "subscription_id": f"sub_{name}", "currency": "usd",
        "quantity": 3, "at": NOW - HOUR, "made_at": NOW - HOUR, "next_attempt_at": NOW,
    }  # fmt: skip
    return UsageReport.objects.create(usage=usage, **{**usual, **columns})


@pytest.fixture
def mine(ada):
    subscribed(ada)
    return counter(ada)


@pytest.fixture
def bens(ben):
    """A bystander's counter, with a report that is not due; both stay as they are."""
    subscribed(ben)
    kept = counter(ben, 3, 3)
    row = report(kept, next_attempt_at=NOW + DAY)
    before = UsageReport.objects.filter(pk=row.pk).values().get()
    yield kept
    assert UsageReport.objects.filter(pk=row.pk).values().get() == before
    assert Usage.objects.get(pk=kept.pk).reported == 3


def ours(usage):
    return UsageReport.objects.filter(usage=usage)


# Cutting


def test_what_has_grown_since_the_last_report_is_a_row(mine, bens):
    assert (reporting.cut_all(), reporting.cut_all()) == (1, 0)
    row = ours(mine).get()
    assert (row.customer_id, row.subscription_id, row.currency, row.price_id) == (
        "cus_ada", "sub_ada", "usd", "price_beyond")  # fmt: skip
    assert (row.quantity, row.at, row.made_at, row.next_attempt_at) == (3, NOW - HOUR, NOW, NOW)
    assert (row.state, row.attempts, row.tried_at) == ("waiting", 0, None)
    assert Usage.objects.get(pk=mine.pk).reported == 4


@pytest.mark.parametrize(
    ("columns", "quantity"),
    [
        ({}, 3),
        ({"overage": 1}, None),
        ({"overage": 0}, -1),
        ({"has_overage": False}, None),
        ({"overage_subscription": "sub_gone"}, None),
        ({"period_start": NOW - reporting.COUNTERS_OF + SECOND}, 3),
        ({"period_start": NOW - reporting.COUNTERS_OF}, None),
    ],
)
def test_only_what_differs_of_late_and_belongs_to_a_subscription_is_cut(mine, bens, columns, quantity):
    Usage.objects.filter(pk=mine.pk).update(**columns)
    assert reporting.cut_all() == int(quantity is not None)
    assert list(ours(mine).values_list("quantity", flat=True)) == ([] if quantity is None else [quantity])


def test_a_use_without_a_time_is_of_now_and_a_counter_read_before_another_cut_makes_no_row(mine, bens):
    Usage.objects.filter(pk=mine.pk).update(overage_at=None)
    read = Usage.objects.get(pk=mine.pk)
    assert reporting.cut(read)
    assert ours(mine).get().at == NOW
    assert not reporting.cut(read)
    assert not reporting.cut(bens), "there is nothing more to report"
    assert ours(mine).count() == ours(bens).count() == 1


# Dating


ENDED = {"status": "canceled", "ended_at": NOW}


@pytest.mark.parametrize(
    ("columns", "at", "dated", "is_billed"),
    [
        ({}, NOW - HOUR, NOW - HOUR, True),
        ({}, NOW, NOW, True),
        ({}, NOW + SECOND, NOW, True),
        # Of the period before: until its draft closes, then by the next invoice.
        ({"current_period_start": NOW - reporting.DRAFT_OPEN}, NOW - 2 * HOUR, NOW - 2 * HOUR, True),
        ({"current_period_start": NOW - reporting.DRAFT_OPEN - SECOND}, NOW - 2 * HOUR, NOW, True),
        ({"current_period_start": NOW - 2 * HOUR}, NOW - 2 * HOUR, NOW - 2 * HOUR, True),
        ({"current_period_start": NOW - 2 * HOUR}, NOW - 2 * HOUR - SECOND, NOW, True),
        # A renewal that was not heard of yet.
        ({"current_period_end": NOW - HOUR}, NOW - HOUR - SECOND, NOW, True),
        ({"current_period_end": NOW - HOUR}, NOW - HOUR, NOW - HOUR, True),
        ({"current_period_end": NOW}, NOW - HOUR, NOW - HOUR, True),
        ({"current_period_start": None}, NOW - 20 * DAY, NOW - 20 * DAY, True),
        # What Stripe takes no more.
        ({"current_period_start": NOW - 60 * DAY}, NOW - reporting.OLDEST, NOW - reporting.OLDEST, True),
        ({"current_period_start": NOW - 60 * DAY}, NOW - reporting.OLDEST - SECOND, NOW, True),
        # Of a subscription that has ended, in its last period, until its last invoice closes.
        (ENDED, NOW - HOUR, NOW - HOUR, True),
        (ENDED, NOW, NOW - SECOND, True),
        ({**ENDED, "ended_at": NOW - reporting.DRAFT_OPEN + SECOND}, NOW - 2 * HOUR, NOW - 2 * HOUR, True),
        ({**ENDED, "ended_at": NOW - reporting.DRAFT_OPEN}, NOW - 2 * HOUR, NOW - 2 * HOUR, False),
        ({**ENDED, "ended_at": None, "canceled_at": NOW - HOUR}, NOW - 2 * HOUR, NOW - 2 * HOUR, False),
        ({**ENDED, "ended_at": None}, NOW - HOUR, NOW - HOUR, True),
    ],
)
def test_a_report_is_dated_into_a_period_that_is_billed_yet(ada, bens, columns, at, dated, is_billed):
    subscribed(ada, **columns)
    row = report(counter(ada), at=at)
    assert reporting._date(row) is is_billed
    assert row.at == dated
    assert row.error_message.startswith("Dated anew") is (dated == NOW and at < NOW)


def test_a_report_of_no_subscription_of_ours_keeps_its_time(ada, bens):
    row = report(counter(ada), at=NOW - 20 * DAY)
    assert reporting._date(row)
    assert row.at == NOW - 20 * DAY


# Sending


@pytest.fixture
def posted(monkeypatch):
    """The calls; Stripe answers them with the errors that the test adds."""
    calls, errors = [], []

    def post(path, idempotency_key, **params):
        calls.append((path, idempotency_key, params))
        if errors:
            raise errors.pop(0)

    monkeypatch.setattr(reporting.stripe_client, "post", post)
    monkeypatch.setattr(tries.random, "uniform", lambda low, high: 1)
    return calls, errors


def refusal(words, code=None):
    return stripe.InvalidRequestError(words, None, code=code)


def test_a_report_is_sent_once_by_its_own_id(mine, bens, posted):
    row = report(mine)
    assert reporting.send_due() == 1
    assert posted[0] == [
        (
            "/v1/billing/meter_events",
            f"{row.pk}:1",
            {
                "event_name": "billing_exports", "identifier": str(row.pk), "timestamp": int((NOW - HOUR).timestamp()),
                "payload": {"stripe_customer_id": "cus_ada", "value": "3"},
            },
        )
    ]  # fmt: skip
    row.refresh_from_db()
    assert (row.state, row.sent_at, row.attempts, row.tried_at, row.next_attempt_at) == ("sent", NOW, 1, NOW, None)
    assert reporting.send_due() == 0
    assert len(posted[0]) == 1


@pytest.mark.parametrize(
    ("columns", "is_due"),
    [
        ({}, True),
        ({"next_attempt_at": NOW + SECOND}, False),
        ({"state": "sending"}, True),
        *(({"state": state}, False) for state in ("sent", "doubtful", "refused", "late", "dropped")),
    ],
)
def test_what_is_open_is_sent_when_its_time_has_come(mine, bens, posted, columns, is_due):
    report(mine, **columns)
    assert reporting.send_due() == len(posted[0]) == int(is_due)


def test_an_outage_ends_the_round_and_says_when_to_try_again(mine, bens, posted, noon):
    first, second = report(mine), report(mine, next_attempt_at=NOW - SECOND)
    posted[1].append(StripeUnavailable("away"))
    assert reporting.send_due() == 0
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.attempts) == ("waiting", 0), "the one that waited longer was first"
    assert (second.state, second.attempts, second.tried_at) == ("sending", 1, NOW)
    assert (second.next_attempt_at, second.error_message) == (NOW + MINUTE, "StripeUnavailable: away")
    noon.move_to(NOW + MINUTE)
    assert reporting.send_due() == 2
    second.refresh_from_db()
    assert (second.state, second.attempts, second.tried_at) == ("sent", 2, NOW)
    assert f"{second.pk}:2" in [key for _, key, _ in posted[0]]


@pytest.mark.parametrize(
    ("words", "code", "state"),
    [
        ("An event already exists with identifier x.", None, "sent"),
        ("Too old.", "timestamp_too_far_in_past", "late"),
        ("No.", "other", "refused"),
    ],
)
def test_a_refusal_is_known_already_too_late_or_for_a_person(
    mine, bens, posted, words, code, state, django_capture_on_commit_callbacks
):
    row = report(mine)
    posted[1].append(refusal(words, code))
    with django_capture_on_commit_callbacks(execute=True):
        assert reporting.send_due() == 1
    row.refresh_from_db()
    is_sent = state == "sent"
    assert (row.state, row.next_attempt_at, row.error_message) == (state, None, "" if is_sent else words)
    assert row.sent_at == (NOW if is_sent else None)
    alerts = list(Alert.objects.values_list("cause", flat=True))
    assert alerts == ([] if is_sent else [f"usage_report_{state}"])


@pytest.mark.parametrize(
    ("tried", "is_sent"),
    [(reporting.SAME_IDENTIFIER, True), (reporting.SAME_IDENTIFIER + SECOND, False)],
)
def test_an_identifier_is_sent_again_only_while_stripe_knows_it(mine, bens, posted, tried, is_sent):
    row = report(mine, state="sending", tried_at=NOW - tried, attempts=1)
    assert reporting.send(row) is True
    assert bool(posted[0]) is is_sent
    assert UsageReport.objects.get(pk=row.pk).state == ("sent" if is_sent else "sending")


def test_what_no_invoice_will_bill_is_late_and_is_not_sent_and_what_was_tried_is_not_dated_anew(ada, bens, posted):
    subscribed(ada, status="canceled", ended_at=NOW - DAY)
    usage = counter(ada)
    late, tried = report(usage), report(usage, state="sending", tried_at=NOW - HOUR, at=NOW - HOUR)
    assert reporting.send(late)
    assert (UsageReport.objects.get(pk=late.pk).state, late.state, posted[0]) == ("late", "late", [])
    assert reporting.send(tried)
    assert UsageReport.objects.get(pk=tried.pk).state == "sent"


def test_a_row_is_claimed_by_one_worker_and_its_claim_lasts_two_minutes(mine, bens, posted):
    row = report(mine)
    mine_too = UsageReport.objects.get(pk=row.pk)
    assert reporting._claim(row)
    kept = UsageReport.objects.get(pk=row.pk)
    assert (kept.state, kept.attempts, kept.tried_at, kept.next_attempt_at) == (
        "sending", 1, NOW, NOW + reporting.CLAIMED_FOR)  # fmt: skip
    assert not reporting._claim(mine_too)
    assert not reporting._claim(UsageReport.objects.get(pk=row.pk)), "it is not due"
    assert reporting._claim(UsageReport.objects.get(pk=row.pk), is_urgent=True)
    assert reporting.settle(row, UsageReport.State.SENT) is False, "another worker has it by now"


def test_before_a_change_all_of_that_subscription_is_reported_due_or_not(mine, bens, posted):
    waiting = report(mine, next_attempt_at=NOW + HOUR)
    sent = reporting.flush("sub_ada")
    assert len(sent) == len(posted[0]) == 2
    assert waiting in sent
    assert set(ours(mine).values_list("state", flat=True)) == {"sent"}
    assert reporting.flush("sub_ada") == []


def test_a_change_waits_while_a_report_has_no_answer(mine, bens, posted):
    posted[1].append(StripeUnavailable("away"))
    with pytest.raises(StripeUnavailable):
        reporting.flush("sub_ada")
    assert ours(mine).get().state == "sending"


def test_once_stripe_has_counted_the_next_charge_is_asked_for_again(mine, bens, posted):
    for name in ("ada", "ben"):
        row = Subscription.objects.get(stripe_id=f"sub_{name}")
        NextCharge.objects.create(subscription=row, amount=5, at=NOW + DAY)
    report(mine)
    reporting.send_due()
    asked = dict(NextCharge.objects.values_list("subscription__stripe_id", "ask_at"))
    assert asked == {"sub_ada": NOW + reporting.ADDED_UP, "sub_ben": None}


# What a person decides


WORK = {
    "again": lambda row: reporting.send_again(row, "staff"),
    "sent": lambda row: reporting.count_as_sent(row, "staff"),
    "gone": lambda row: reporting.give_up(row, "staff"),
}


@pytest.mark.parametrize("state", UsageReport.State.values)
@pytest.mark.parametrize(("work", "becomes"), [("again", "dropped"), ("sent", "sent"), ("gone", "dropped")])
def test_a_person_decides_only_about_what_needs_one(mine, bens, state, work, becomes):
    row = report(mine, state=state, tried_at=NOW - DAY, attempts=4)
    is_one = state in UsageReport.NEEDS_PERSON
    assert WORK[work](row) is is_one
    row.refresh_from_db()
    assert (row.state, row.settled_by) == ((becomes, "staff") if is_one else (state, ""))
    assert row.sent_at == (NOW if is_one and work == "sent" else None)
    new = list(ours(mine).exclude(pk=row.pk))
    assert len(new) == int(is_one and work == "again")
    for each in new:
        assert (each.price_id, each.customer_id, each.subscription_id, each.currency, each.quantity) == (
            "price_beyond", "cus_ada", "sub_ada", "usd", 3)  # fmt: skip
        assert (each.at, each.made_at, each.next_attempt_at, each.state) == (NOW, NOW, NOW, "waiting")
        assert (each.settled_by, each.attempts, each.tried_at) == ("staff", 0, None)


def test_what_waits_for_a_person_is_named_the_oldest_first_of_one_customer_or_of_all(mine, bens):
    for state, quantity, made in (("late", 1, NOW), ("refused", 2, NOW - HOUR), ("sent", 3, NOW), ("doubtful", 4, NOW)):
        report(mine, state=state, quantity=quantity, made_at=made + quantity * SECOND)
    report(bens, state="late", quantity=9, made_at=NOW - DAY)
    words = [text.split()[3] for text in reporting.lasting("cus_ada")]
    assert words == ["2", "1", "4"]
    assert [text.split()[3] for text in reporting.lasting()] == ["9", *words]
    UsageReport.objects.filter(usage=bens, state="late").delete()


# What the month has cost


def test_what_a_month_costs_is_what_was_reported_at_its_price_and_the_rest_at_todays(ada, bens, mine, price):
    granted = allowance(ada)
    (running,) = overage.running(ada, granted)
    assert (running.feature, running.quantity, running.cost, running.currency) == ("exports", 4, Decimal(90), "usd")
    dear = OveragePrice.objects.create(
        pk="price_dear", plan=price.plan, feature="exports", interval="year", amounts={"usd": "100"}
    )
    report(mine, price_id=dear.pk, quantity=1)
    assert overage.running(ada, granted)[0].cost == Decimal(190)
    report(mine, price_id=dear.pk, quantity=1, state="dropped")
    assert overage.running(ada, granted)[0].cost == Decimal(190), "what staff gave up is not billed"


@pytest.mark.parametrize(
    "columns",
    [{"has_overage": False}, {"overage": 0}, {"period_start": START - DAY}, {"overage_subscription": "sub_gone"}],
)
def test_what_is_not_of_this_month_or_of_no_subscription_costs_nothing(ada, bens, mine, columns):
    Usage.objects.filter(pk=mine.pk).update(**columns)
    assert overage.running(ada, allowance(ada)) == []


@pytest.mark.parametrize(("ahead", "at"), [(SECOND, NOW), (timedelta(0), NOW - SECOND), (-DAY, NOW - DAY - SECOND)])
def test_a_use_is_of_the_period_that_we_know(ada, bens, ahead, at):
    row = subscribed(ada, current_period_end=NOW + ahead)
    assert overage._moment(row) == at
    row.current_period_end = None
    assert overage._moment(row) == NOW


@pytest.mark.parametrize(
    ("amount", "most"),
    [(0, 0), (29, 0), (30, 1), (89, 2), (90, 3)],
)
def test_a_cap_lets_as_many_through_as_it_pays_for_whole(ada, bens, mine, price, amount, most):
    granted = allowance(ada)
    terms = overage.terms_of(ada, granted, "exports")
    assert (terms.unit, terms.price, terms.cap) == (Decimal(30), price, None)
    assert overage.most_of(granted, terms, overage.Cap(amount, "usd", "stop"), "exports") == most


def test_what_another_feature_or_an_earlier_price_cost_is_not_left_for_this_one(ada, bens, mine, price):
    dear = OveragePrice.objects.create(
        pk="price_dear", plan=price.plan, feature="exports", interval="year", amounts={"usd": "100"}
    )
    granted = allowance(ada)
    terms, cap = overage.terms_of(ada, granted, "exports"), overage.Cap(300, "usd", "stop")
    assert overage.most_of(granted, terms, cap, "exports") == 10
    report(bens, price_id=dear.pk, quantity=1)
    assert overage.most_of(granted, terms, cap, "exports") == 10, "what another has used is theirs"
    report(mine, price_id=dear.pk, quantity=1)
    assert overage.most_of(granted, terms, cap, "exports") == 7, "200 are left for six, beside the one"
    report(mine, price_id=price.pk, quantity=2)
    assert overage.most_of(granted, terms, cap, "exports") == 7


@pytest.mark.parametrize(
    ("columns", "has_terms"),
    [
        ({}, True),
        ({"status": "trialing"}, False),
        ({"status": "past_due"}, False),
        ({"collection_paused": "void"}, False),
        ({"currency": "eur"}, True),
        ({"currency": "gbp"}, False),
    ],
)
def test_use_is_billed_by_an_active_subscription_in_a_currency_of_its_price(ada, bens, mine, columns, has_terms):
    Subscription.objects.filter(stripe_id="sub_ada").update(**columns)
    assert bool(overage.terms_of(ada, allowance(ada), "exports")) is has_terms


@pytest.mark.parametrize(
    ("columns", "left", "is_counted"),
    [
        ({}, 0, True),
        ({"used": 4}, 0, False),
        ({"used": 6}, 0, True),
        ({"overage_price": "price_other"}, 0, False),
        ({}, 1, False),
    ],
)
def test_a_use_is_counted_beyond_the_limit_where_it_is_used_up_and_no_credits_are_left(
    ada, ben, bens, mine, columns, left, is_counted
):
    Usage.objects.filter(pk=mine.pk).update(**columns)
    for who, quantity in ((ada, left), (ben, 7)):
        if quantity:
            Credit.objects.create(
                subscriber=who, feature="exports", quantity=quantity, left=quantity, source="pack", given_at=NOW
            )
    granted = allowance(ada)
    terms = overage.terms_of(ada, granted, "exports")
    same = Usage.objects.filter(pk=mine.pk)
    assert overage.count(same, 2, 5, granted, terms, "exports") is is_counted
    row = same.get()
    assert row.overage == 4 + 2 * is_counted
    if is_counted:
        assert (row.has_overage, row.overage_at, row.overage_subscription) == (True, NOW, "sub_ada")


def test_without_an_item_of_ones_own_subscription_nothing_bills_what_is_beyond_the_limit(ada, ben, bens, mine):
    SubscriptionItem.objects.filter(subscription__stripe_id="sub_ada").delete()
    assert overage.terms_of(ada, allowance(ada), "exports") is None
    assert overage.terms_of(ben, allowance(ben), "exports").subscription.stripe_id == "sub_ben"


@pytest.mark.parametrize(
    ("state", "words", "kept"),
    [("sent", "", "before"), ("sent", "Counted.", "Counted."), ("doubtful", "", ""), ("late", "Late.", "Late.")],
)
def test_the_words_of_before_stay_only_where_nothing_is_left_to_decide(mine, bens, state, words, kept):
    row = report(mine, error_message="before")
    assert reporting.settle(row, UsageReport.State(state), words)
    assert (UsageReport.objects.get(pk=row.pk).error_message, row.state) == (kept, state)

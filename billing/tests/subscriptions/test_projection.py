"""The projection, rule by rule: which one counts, since when it is past due, what is pending, which card pays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from billing import subscriptions
from billing.clock import from_timestamp
from billing.models import Customer, Hold, Payment, Plan, Price, Subscription
from billing.subscriptions import columns as read
from billing.subscriptions import projection

pytestmark = pytest.mark.django_db
FIRST = {"billing_reason": "subscription_create", "total": 0, "total_taxes": []}

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _wall_clock(settings):
    settings.BILLING_CLOCK = ""


@pytest.fixture
def prices():
    """Two plans, the second ranked above the first."""
    made = []
    for rank, slug in enumerate(("low", "high"), start=1):
        plan = Plan.objects.create(slug=slug, name=slug, rank=rank * 100)
        made.append(
            Price.objects.create(pk=f"price_{slug}", plan=plan, currency="usd", unit_amount=1, interval="month")
        )
    return made


@pytest.fixture
def row():
    customer = Customer.objects.create(pk="cus_1")
    return Subscription.objects.create(customer=customer, stripe_id="sub_1")


def item(price="price_low", quantity=1, end=2000):
    price = {"id": price, "lookup_key": None, "recurring": None, "metadata": {}}
    return {
        "id": "si_1",
        "price": price,
        "quantity": quantity,
        "current_period_start": 1000,
        "current_period_end": end,
    }


def found(name="sub_1", status="active", created=1, items=None, **changes):
    """A subscription as Stripe sends it, in its second period."""
    usual = {
        "id": name, "status": status, "created": created, "customer": {"id": "cus_1", "invoice_settings": None},
        "items": {"data": items or [item()]}, "currency": "usd", "start_date": 500, "trial_end": None,
        "ended_at": None, "cancel_at": None, "cancel_at_period_end": False, "schedule": None, "pending_update": None,
        "latest_invoice": {"id": "in_1", "billing_reason": "subscription_cycle", "total": 0, "total_taxes": []},
        "default_payment_method": None,
    }  # fmt: skip
    return {**usual, **changes}


# Which one counts


def counting(customer, *subscriptions_found, known=()):
    """The ids of those that count, by line."""
    rows = subscriptions.project(customer, list(subscriptions_found), list(known), lambda subscription: [])
    return {row.line: row.stripe_id for row in rows if row.counts}


HIGH, OTHER_PRICE = [item("price_high")], [item("price_other")]


@pytest.mark.parametrize(
    ("subscriptions_found", "counts"),
    [
        ([], None),
        ([found("a", "canceled", ended_at=5)], "a"),
        ([found("a", "past_due"), found("b", "active", start_date=2)], "b"),
        ([found("a", "trialing"), found("b", "active", start_date=600)], "b"),
        ([found("a"), found("b", start_date=600)], "b"),
        ([found("b"), found("a")], "b"),
        ([found("a"), found("b", items=HIGH, start_date=2)], "b"),
        ([found("a", cancel_at=9), found("b", start_date=2)], "b"),
        ([found("a"), found("b", items=HIGH, cancel_at=9)], "a"),
        ([found("a", "unpaid", items=HIGH), found("b", "active")], "b"),
        ([found("a", "canceled", ended_at=900), found("b", "incomplete")], "b"),
        ([found("a", "canceled", ended_at=5), found("b", "canceled", ended_at=6)], "b"),
        ([found("a", "canceled", ended_at=5, start_date=2), found("b", "canceled", ended_at=5, start_date=1)], "a"),
        ([found("a", "incomplete_expired"), found("b", "canceled", ended_at=6)], "b"),
        ([found("a", items=OTHER_PRICE), found("b", "canceled", ended_at=5)], "b"),
        ([found("a", items=OTHER_PRICE)], None),
    ],
)
def test_the_one_counts_that_gives_most_from_now_on(prices, row, subscriptions_found, counts):
    row.delete()
    for order in (subscriptions_found, subscriptions_found[::-1]):
        assert counting(row.customer, *order).get("main") == counts


def test_in_each_line_one_counts(prices, row):
    Plan.objects.filter(slug="high").update(line="storage")
    assert counting(row.customer, found("a"), found("b", items=HIGH)) == {"main": "a", "storage": "b"}


def bought(name, **changes):
    """One that a Checkout attempt of ours made, in its first period."""
    return found(name, metadata={"billing_attempt": name}, latest_invoice=FIRST, **changes)


def test_what_our_checkout_sold_twice_at_once_does_not_count(prices, row):
    assert counting(row.customer, bought("a"), bought("b", created=2, start_date=600)) == {"main": "a"}
    assert counting(row.customer, bought("a"), bought("b", items=HIGH, created=2)) == {"main": "b"}
    assert counting(row.customer, bought("a"), found("b", created=2, start_date=600)) == {"main": "b"}
    assert counting(row.customer, bought("a"), bought("b", created=90_000, start_date=600)) == {"main": "b"}


# Its columns


def test_the_period_and_quantity_are_those_of_the_item_that_is_a_plan(prices, row):
    items = [item("price_low", 2, end=3000), item("price_high", 7, end=4000), item("price_other", 9, end=5000)]
    columns = subscriptions.columns_of(found(items=items), row)
    assert (columns["price"], columns["plan"].slug, columns["quantity"]) == (prices[1], "high", 7)
    assert columns["current_period_end"] == from_timestamp(4000)
    assert columns["unmapped_price"] == ""


def test_a_quantity_that_is_not_said_is_one(prices, row):
    assert subscriptions.columns_of(found(items=[item(quantity=None)]), row)["quantity"] == 1


@pytest.mark.parametrize(("known_as", "keeps"), [("sub_1", True), ("sub_2", False)])
def test_a_price_that_is_no_plans_keeps_the_plan_of_the_same_subscription_alone(prices, row, known_as, keeps):
    row.stripe_id, row.price, row.plan = known_as, prices[0], prices[0].plan
    columns = subscriptions.columns_of(found(items=[item("price_other")]), row)
    assert (columns["price"], columns["plan"]) == (None, prices[0].plan if keeps else None)
    assert (columns["whose"], columns["unmapped_price"]) == (("unknown", "price_other") if keeps else ("foreign", ""))


@pytest.mark.parametrize(
    ("changes", "ends_at"),
    [
        ({}, None),
        ({"cancel_at_period_end": True}, 2000),
        ({"cancel_at": 1500}, 1500),
        ({"cancel_at": 1500, "cancel_at_period_end": True}, 1500),
        ({"cancel_at": 1500, "ended_at": 1400}, None),
        ({"cancel_at_period_end": True, "ended_at": 1400}, None),
    ],
)
def test_an_end_is_ahead_by_either_field_until_it_has_ended(prices, row, changes, ends_at):
    assert subscriptions.columns_of(found(**changes), row)["cancel_at"] == from_timestamp(ends_at)


# Since when it is past due


def invoice(created, finalized=None, due=None):
    at = {"finalized_at": finalized or created + 10}
    return {"id": f"in_open_{created}", "created": created, "due_date": due, "status_transitions": at}


def since(row, *invoices):
    return read.past_due_since(row, found(status="past_due"), lambda subscription: list(invoices))


def paid(row, invoiced_at, subscription="sub_1"):
    Payment.objects.create(
        invoice_id=f"in_{subscription}_{invoiced_at}", customer=row.customer, subscription_id=subscription, amount=1,
        currency="usd", invoiced_at=from_timestamp(invoiced_at), paid_at=timezone.now(),
    )  # fmt: skip


def test_nothing_but_past_due_has_a_grace(row):
    row.past_due_since = LATER
    for status in set(Subscription.Status.values) - {"past_due"}:
        kept = read.grace_columns(row, found(status=status), lambda subscription: [invoice(100)])
        assert kept == read.NO_GRACE


def test_grace_runs_from_when_the_oldest_open_invoice_was_due(row):
    assert since(row, invoice(300), invoice(200), invoice(400)) == from_timestamp(210)
    assert since(row, invoice(100, due=900), invoice(200)) == from_timestamp(210)
    assert since(row, invoice(100, due=150), invoice(200)) == from_timestamp(150)


def test_an_invoice_from_before_the_latest_payment_of_this_subscription_is_an_old_story(row):
    paid(row, 100)
    paid(row, 200)
    paid(row, 999, subscription="sub_other")
    assert since(row, invoice(199), invoice(201)) == from_timestamp(211)
    row.past_due_since = LATER
    assert since(row, invoice(200)) == LATER, "of the same second as the payment: an old story too"


def test_without_an_open_invoice_what_is_known_stays_else_it_begins_now(row, time_machine):
    row.past_due_since = LATER
    assert since(row) == LATER
    row.past_due_since = None
    time_machine.move_to(LATER + timedelta(days=1), tick=False)
    assert since(row) == LATER + timedelta(days=1)


# What is pending


def phase(start, *items):
    return {"start_date": start, "items": list(items)}


def scheduled(*phases, status="active", current=(1000, 2000), items=None):
    under_way = {"start_date": current[0], "end_date": current[1]} if current else None
    schedule = {"status": status, "current_phase": under_way, "phases": list(phases)}
    return found(schedule=schedule, items=items)


NOW, THEN = phase(1000, item()), phase(2000, item("price_high"))


def test_the_first_phase_ahead_that_bills_something_else_is_pending(prices):
    change = read.pending_change_of(
        scheduled(NOW, phase(2000, item()), phase(3000, item("price_high")), phase(4000, item()))
    )
    assert (change.kind, change.price, change.at, change.url) == ("scheduled", prices[1], 3000, "")
    more = read.pending_change_of(scheduled(NOW, phase(2000, item(quantity=2))))
    assert (more.price, more.at) == (prices[0], 2000)
    assert read.pending_change_of(scheduled(NOW, phase(2000, item("price_low"), item("price_high")))).price == prices[1]
    assert read.pending_change_of(scheduled(NOW, phase(2000, item("price_other")))).price is None


@pytest.mark.parametrize(
    "of_stripe",
    [
        found(),
        scheduled(NOW),
        scheduled(NOW, phase(2000, item(quantity=None))),
        scheduled(phase(1, item("price_high")), NOW),
        scheduled(NOW, phase(1999, item("price_high"))),
        scheduled(NOW, THEN, status="released"),
        scheduled(NOW, THEN, status="not_started"),
        scheduled(NOW, THEN, current=None),
    ],
)
def test_what_is_over_the_same_or_not_under_way_is_not_pending(prices, of_stripe):
    assert read.pending_change_of(of_stripe) is None
    assert read.pending_columns(of_stripe) == {
        "pending_kind": "", "pending_price": None, "pending_at": None, "pending_url": "",
        "pending_add_ons": None,
    }  # fmt: skip


def test_a_change_that_waits_for_its_payment_comes_first_and_leads_to_its_page(prices):
    update = {"subscription_items": [item("price_high")], "expires_at": 1200}
    waiting = {
        **scheduled(NOW, THEN),
        "pending_update": update,
        "latest_invoice": {"hosted_invoice_url": "https://pay"},
    }
    assert read.pending_columns(waiting) == {
        "pending_kind": Subscription.Pending.UPDATE, "pending_price": prices[1], "pending_at": from_timestamp(1200),
        "pending_url": "https://pay", "pending_add_ons": {},
    }  # fmt: skip
    for without in ({"hosted_invoice_url": None}, "in_1"):
        assert read.pending_change_of({**waiting, "latest_invoice": without}).url == ""
    assert read.pending_change_of({**waiting, "pending_update": {**update, "subscription_items": None}}).price is None


def test_where_the_schedule_was_not_expanded_what_we_know_stays():
    assert read.pending_columns(found(schedule="sub_sched_1")) == {}


# Which card pays


CARD = {"id": "pm_1", "card": {"brand": "visa", "last4": "4242", "exp_year": 2028, "exp_month": 2}}
SHOWN = {
    "payment_method_type": "card",
    "card_brand": "visa",
    "card_last4": "4242",
    "card_expires_on": date(2028, 2, 29),
}
OTHER = {"id": "pm_2", "card": {"brand": "amex", "last4": "0005", "exp_year": 2027, "exp_month": 12}}


def theirs(method):
    return {"id": "cus_1", "invoice_settings": {"default_payment_method": method}}


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"default_payment_method": CARD}, SHOWN),
        ({"default_payment_method": CARD, "customer": theirs(OTHER)}, SHOWN),
        ({"customer": theirs(CARD)}, SHOWN),
        ({"default_payment_method": "pm_1", "customer": theirs(CARD)}, {}),
        ({"default_source": "card_1", "customer": theirs(CARD)}, {}),
        ({"customer": "cus_1"}, {}),
        ({"customer": theirs("pm_1")}, {}),
        ({"customer": theirs(None)}, read.NO_METHOD),
        ({"customer": {"id": "cus_1"}}, read.NO_METHOD),
        ({"default_payment_method": {"id": "pm_1", "card": None}}, read.NO_METHOD),
        ({"default_payment_method": {"id": "pm_1", "sepa_debit": {}}}, read.NO_METHOD),
    ],
)
def test_the_subscriptions_own_card_comes_before_the_customers(changes, columns):
    assert read.card_columns(found(**changes)) == columns


def test_words_too_long_for_their_columns_are_cut():
    long = {**CARD["card"], "brand": "b" * 21, "last4": "12345"}
    columns = read.card_columns(found(default_payment_method={"card": long}))
    assert (columns["card_brand"], columns["card_last4"]) == ("b" * 20, "1234")


# What is saved


@pytest.fixture
def deleted(monkeypatch):
    """The ids of customers who are deleted at Stripe, and of those it was asked about."""
    gone, asked = set(), []

    def is_deleted(customer):
        asked.append(customer)
        return customer in gone

    monkeypatch.setattr(projection.fetch, "is_deleted", is_deleted)
    return gone, asked


@pytest.mark.parametrize(
    ("was", "is_gone", "status", "asks"),
    [("active", True, "canceled", 1), ("active", False, "active", 1), ("canceled", True, "canceled", 0)],
)
def test_a_subscription_that_stripe_lists_no_more_has_ended_if_its_customer_is_gone(
    row, deleted, was, is_gone, status, asks
):
    gone, asked = deleted
    gone |= {"cus_1"} if is_gone else {"cus_ben"}
    row.status = was
    (becomes,) = subscriptions.project(row.customer, [], [row])
    assert (becomes.status, row.status, asked) == (status, was, ["cus_1"] * asks)


@pytest.mark.parametrize("status", ["active", "past_due", "canceled", "incomplete_expired"])
def test_what_has_ended_frees_its_customer_of_what_was_about_it_and_of_nothing_else(prices, row, monkeypatch, status):
    monkeypatch.setattr(projection.fetch, "open_invoices", lambda subscription: [])
    ben = Customer.objects.create(pk="cus_ben")
    for customer in (row.customer, ben):
        for kind in Hold.Kind.values:
            about = "sub_1" if kind in ("refund", "dispute") else ""
            Hold.objects.create(customer=customer, kind=kind, reference=kind, subscription_id=about, placed_at=LATER)
    rows = subscriptions.project(row.customer, [found(status=status)], [row])
    projection._release_settled_holds(row.customer, rows)
    (row,) = rows
    settled = {"refund", "dispute"} if row.status in Subscription.TERMINAL else set()
    left = Hold.objects.active().values_list("customer", "kind")
    assert set(left) == {("cus_1", kind) for kind in set(Hold.Kind.values) - settled} | {
        ("cus_ben", kind) for kind in Hold.Kind.values
    }


@pytest.mark.parametrize(
    ("theirs", "is_deleted", "known"),
    [
        ({"email": "new@example.com", "preferred_locales": ["da", "en"]}, False, ("new@example.com", "da")),
        ({"email": "new@example.com", "preferred_locales": []}, False, ("new@example.com", "")),
        ({"email": None, "preferred_locales": ["da"]}, False, ("", "da")),
        ({"email": "", "preferred_locales": [""]}, False, ("", "")),
        ({}, False, ("old@example.com", "de")),
        ("cus_1", False, ("old@example.com", "de")),
        ({"email": "new@example.com", "preferred_locales": ["da"]}, True, ("old@example.com", "de")),
    ],
)
def test_address_and_language_are_stripes_also_emptied_ones_and_a_tombstone_learns_nothing(
    row, theirs, is_deleted, known
):
    customer = row.customer
    customer.email, customer.preferred_locale = "old@example.com", "de"
    customer.deleted_at = LATER if is_deleted else None
    customer.save()
    projection._update_customer(customer, theirs)
    customer.refresh_from_db()
    assert (customer.email, customer.preferred_locale) == known


def test_a_customer_who_is_as_stripe_has_them_is_not_written(row, django_assert_num_queries):
    row.customer.email, row.customer.account, row.customer.livemode = "old@example.com", "acct_1", False
    with django_assert_num_queries(0):
        projection._update_customer(row.customer, {"email": "old@example.com"})


def test_the_row_of_a_subscription_brings_the_customer_that_asked(row, django_assert_num_queries):
    ben = Customer.objects.create(pk="cus_ben")
    of_ben = Subscription.objects.create(customer=ben, stripe_id="sub_ben")
    other = Subscription.objects.create(customer=row.customer, stripe_id="sub_2", counts=False)
    for known in (row, other):
        answer = subscriptions.row_for(row.customer, known.stripe_id)
        assert (answer, answer.customer is row.customer) == (known, True)
    assert subscriptions.row_for(ben, "sub_ben") == of_ben


@pytest.mark.parametrize("asked", ["", "sub_ben", "sub_nobodys"])
def test_without_a_subscription_of_theirs_the_one_that_counts_is_meant(row, asked):
    ben = Customer.objects.create(pk="cus_ben")
    Subscription.objects.create(customer=ben, stripe_id="sub_ben")
    Subscription.objects.create(customer=row.customer, stripe_id="sub_0", counts=False)
    assert subscriptions.row_for(row.customer, asked) == row

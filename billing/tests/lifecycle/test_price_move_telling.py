"""One row of a price move is told, waits, or needs a person: each reason alone decides, and bystanders stay."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import signals
from billing.lifecycle.price_moves import notice, telling
from billing.models import Alert, Customer, Plan, Price, PriceMove, PriceMoveRow, StripeWrite, Subscription

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
RENEWAL = NOW + 20 * DAY


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def plan():
    return Plan.objects.create(slug="risen", name="Risen", rank=1)


@pytest.fixture
def move(plan):
    old, new = (
        Price.objects.create(pk=f"price_{name}", plan=plan, currency="usd", unit_amount=amount, interval="month")
        for name, amount in (("old", 500), ("new", 900))
    )
    return PriceMove.objects.create(old_price=old, new_price=new, notice_days=10, at_renewal=True, started_at=NOW)


def row_of(move, name="ada", status="listed", price="price_old", columns=(), **more):
    subscription = Subscription.objects.create(
        customer=Customer.objects.create(pk=f"cus_{name}"), stripe_id=f"sub_{name}",
        **{"status": "active", "currency": "usd", "current_period_end": RENEWAL, "billing_cycle_anchor": RENEWAL,
           **dict(columns)},
    )  # fmt: skip
    subscription.items.create(stripe_id=f"si_{name}", stripe_price=price, quantity=3)
    return PriceMoveRow.objects.create(move=move, subscription=subscription, status=status, **more)


@pytest.fixture
def ben(move):
    """A bystander in the same move."""
    return row_of(move, "ben")


@pytest.fixture
def said(ben, django_capture_on_commit_callbacks):
    """Calls with a row, and returns the signals that were sent; the bystander stays as it was."""
    heard, before = [], PriceMoveRow.objects.filter(pk=ben.pk).values().get()

    def hear(signal, subscription, change, **_):
        name = "coming" if signal is signals.price_change_coming else "stays"
        heard.append((name, subscription.stripe_id, change.pk))

    def call(work, row, *args):
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            work(PriceMoveRow.objects.select_related("move", "subscription__customer").get(pk=row.pk), *args)
        assert PriceMoveRow.objects.filter(pk=ben.pk).values().get() == before
        row.refresh_from_db()
        return [name for name, *whose in heard if whose == [row.subscription.stripe_id, row.pk]]

    both = (signals.price_change_coming, signals.price_change_withdrawn)
    for signal in both:
        signal.connect(hear)
    yield call
    for signal in both:
        signal.disconnect(hear)


# Told


def test_who_is_told_gets_the_amounts_the_day_and_the_whole_notice(move, said):
    row = row_of(move)
    assert said(telling.tell, row) == ["coming"]
    assert (row.status, row.told_at, row.is_confirmed, row.reason, row.tellings, row.attempts) == (
        "told", NOW, False, "", 1, 0)  # fmt: skip
    assert (row.quantity, row.currency, row.old_amount, row.new_amount) == (3, "usd", 1500, 2700)
    assert (row.moves_at, row.due_at) == (RENEWAL, NOW + DAY)
    assert said(telling.tell, row) == [], "once"


@pytest.mark.parametrize(("ahead", "due"), [(12 * HOUR, 12 * HOUR), (DAY, DAY), (2 * DAY, DAY)])
def test_it_is_looked_at_within_a_day_and_before_stripe_is_written_to(move, said, ahead, due):
    PriceMove.objects.update(notice_days=0)
    row = row_of(move, columns={"current_period_end": NOW + DAY + ahead, "billing_cycle_anchor": NOW + DAY + ahead})
    said(telling.tell, row)
    assert row.due_at == NOW + due


def test_a_new_price_that_costs_as_much_is_not_announced(move, said):
    Price.objects.filter(pk="price_new").update(unit_amount=500)
    row = row_of(move)
    assert said(telling.tell, row) == []
    assert row.status == "told"


@pytest.mark.parametrize("status", sorted(set(PriceMoveRow.Status.values) - {"listed"}))
def test_what_is_not_listed_is_not_told(move, said, status):
    row = row_of(move, status=status)
    assert said(telling.tell, row) == []
    assert (row.status, row.told_at) == (status, None)


def test_nobody_is_told_by_a_move_that_was_stopped(move, said):
    row = row_of(move)
    PriceMove.objects.update(stopped_at=NOW)
    assert said(telling.tell, row) == []
    assert row.status == "listed"


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        *(({"status": status}, f"It is {status}") for status in ("unpaid", "canceled", "incomplete", "paused")),
        ({"collection_paused": "void"}, "Its collection is paused"),
        ({"pending_kind": "pending_update"}, "A change of plan waits"),
        ({"pending_kind": "awaiting_payment"}, "A change of plan waits"),
        ({"current_period_end": None}, "Its period is over"),
        ({"current_period_end": NOW}, "Its period is over"),
        ({"cancel_at": RENEWAL}, "It ends, or changes"),
    ],
)
def test_who_cannot_be_told_yet_waits_a_day_with_the_reason(move, said, columns, why):
    row = row_of(move, columns=columns)
    assert said(telling.tell, row) == []
    assert (row.status, row.told_at, row.due_at) == ("listed", None, NOW + DAY)
    assert row.reason.startswith(why)


@pytest.mark.parametrize("columns", [
    {"status": "trialing"}, {"status": "past_due"}, {"pending_kind": "scheduled"}, {"cancel_at": RENEWAL + SECOND},
    {"current_period_end": NOW + SECOND},
])  # fmt: skip
def test_none_of_these_keeps_anybody_from_being_told(move, said, columns):
    assert said(telling.tell, row_of(move, columns=columns)) == ["coming"]


def test_a_customer_in_another_account_waits(move, said):
    row = row_of(move)
    Customer.objects.filter(pk="cus_ada").update(livemode=True)
    assert said(telling.tell, row) == []
    assert row.reason == "It is in another Stripe account than our key."


def test_who_pays_another_price_waits_and_a_number_that_is_not_said_is_one(move, said):
    row = row_of(move, price="price_other")
    assert said(telling.tell, row) == []
    assert row.reason == "It has no item at the old price any more."
    row.subscription.items.update(stripe_price="price_old", quantity=None)
    assert said(telling.tell, row) == ["coming"]
    assert (row.quantity, row.new_amount) == (1, 900)


def test_a_currency_that_the_new_price_lacks_needs_a_person(move, said):
    row = row_of(move, columns={"currency": "eur"})
    assert said(telling.tell, row) == []
    assert (row.status, row.due_at, row.reason.endswith("has no amount in EUR.")) == ("untold", None, True)
    (alert,) = Alert.objects.all()
    assert (alert.cause, "sub_ada" in alert.text) == (f"price_move:{move.pk}", True)


# Looked at


@pytest.fixture
def witness():
    """Says how the mail of a row stands."""

    def says(kind):
        notice.add_witness("test", lambda row: (notice.Notice(kind), f"It is {kind}."))

    kept = dict(notice._witnesses)
    notice._witnesses.clear()
    yield says
    notice._witnesses.clear()
    notice._witnesses.update(kept)


TOLD = {"status": "told", "told_at": NOW - DAY, "moves_at": RENEWAL, "tellings": 1, "old_amount": 1, "new_amount": 2}


def looked_at(move, said, **changes):
    row = row_of(move, **{**TOLD, **changes})
    assert said(telling.look, row) == []
    return row


def owed():
    return list(StripeWrite.objects.values_list("action", "object_id"))


@pytest.mark.parametrize(("moves_at", "is_owed"), [
    (NOW + DAY, True), (NOW + DAY - SECOND, True), (NOW + DAY + SECOND, False),
])  # fmt: skip
def test_stripe_is_asked_once_it_is_time(move, said, witness, moves_at, is_owed):
    witness("told")
    row = looked_at(move, said, moves_at=moves_at)
    assert row.is_confirmed
    assert (row.status, row.due_at) == (("owed", None) if is_owed else ("told", moves_at - DAY))
    assert bool(owed()) is is_owed


@pytest.mark.parametrize("moves_at", [None, NOW, NOW - DAY])
def test_who_renewed_before_is_told_anew(move, said, witness, moves_at):
    row = looked_at(move, said, moves_at=moves_at, is_confirmed=True)
    assert (row.status, row.due_at, row.moves_at, row.is_confirmed) == ("listed", NOW, None, False)
    assert row.reason.startswith("Its renewal came before")
    assert owed() == []


@pytest.mark.parametrize(
    ("kind", "status", "due_at"),
    [("failed", "untold", None), ("too late", "listed", NOW), ("on its way", "told", NOW + HOUR)],
)
def test_a_mail_that_did_not_go_out_is_met_by_its_kind(move, said, witness, kind, status, due_at):
    witness(kind)
    row = looked_at(move, said, moves_at=NOW + HOUR)
    assert (row.status, row.due_at, row.reason, row.is_confirmed) == (status, due_at, f"It is {kind}.", False)
    assert Alert.objects.count() == int(kind == "failed")
    assert owed() == []


@pytest.mark.parametrize("status", sorted(set(PriceMoveRow.Status.values) - {"told"}))
def test_what_was_not_told_is_not_looked_at(move, said, status):
    row = looked_at(move, said, status=status, moves_at=NOW)
    assert (row.status, row.moves_at) == (status, NOW)


def test_a_stopped_move_is_not_looked_at(move, said):
    PriceMove.objects.update(stopped_at=NOW)
    assert looked_at(move, said, moves_at=NOW).status == "told"


# Stopped, or decided by staff


@pytest.mark.parametrize(("work", "becomes"), [(telling.withdraw, "stopped"), (telling.decide_to_keep, "kept")])
@pytest.mark.parametrize("status", PriceMoveRow.Status.values)
def test_only_what_is_open_is_stopped_or_kept_and_who_was_told_is_told_so(move, said, work, becomes, status):
    row = row_of(move, **{**TOLD, "status": status, "due_at": NOW, "reason": "why"})
    is_open = status in PriceMoveRow.OPEN
    assert said(work, row) == (["stays"] if is_open else [])
    assert (row.status, row.due_at, row.reason) == ((becomes, None, "") if is_open else (status, NOW, "why"))


@pytest.mark.parametrize("work", [telling.withdraw, telling.decide_to_keep])
@pytest.mark.parametrize("columns", [{"told_at": None}, {"old_amount": 2}])
def test_nobody_is_told_that_a_price_stays_whose_end_was_not_announced(move, said, work, columns):
    assert said(work, row_of(move, **{**TOLD, **columns})) == []


@pytest.mark.parametrize("status", PriceMoveRow.Status.values)
def test_staff_may_take_what_was_not_told_as_told_or_have_it_tried_again(move, status):
    row = row_of(move, **{**TOLD, "status": status})
    is_open = status == "untold"
    assert telling.decide_told(row) is is_open
    assert (row.status, row.is_confirmed, row.due_at) == (("told", True, NOW) if is_open else (status, False, None))
    row.status = status
    assert telling.try_again(row) is (status in PriceMoveRow.FOR_STAFF)
    assert row.status == ("listed" if status in PriceMoveRow.FOR_STAFF else status)


def test_what_has_no_day_cannot_be_taken_as_told(move):
    assert telling.decide_told(row_of(move, status="untold")) is False


def test_what_staff_take_as_told_is_owed_at_once_though_no_mail_was_reserved(move, said, witness):
    witness("failed")
    row = looked_at(move, said, told_at=None, is_confirmed=True)
    assert (row.status, row.due_at, row.is_confirmed) == ("owed", None, True)
    assert owed() == [("move_price", "cus_ada")]

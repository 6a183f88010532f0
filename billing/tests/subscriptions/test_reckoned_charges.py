"""What is reckoned here of the next charge, condition by condition: each alone decides, and its bound is touched."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from billing.models import Customer, NextCharge, Plan, Price, Subscription
from billing.subscriptions import next_charges

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
END = int(NOW.timestamp()) + 86_400
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ASKED, NOTHING = "Stripe is asked", "nothing"


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def prices():
    plan = Plan.objects.create(slug="reckoned", name="Reckoned", rank=1)
    return [
        Price.objects.create(pk=f"price_{name}", plan=plan, currency="usd", unit_amount=amount, interval="month")
        for name, amount in (("low", 500), ("high", 900))
    ]


def row_of(name="ada", **columns):
    customer = Customer.objects.create(pk=f"cus_{name}")
    usual = {"status": "active", "currency": "usd", "current_period_end": NOW + HOUR}
    return Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", **{**usual, **columns})


@pytest.fixture
def ada():
    return row_of()


@pytest.fixture
def ben():
    """A bystander, whose charge is known."""
    return charge_of(row_of("ben"), amount=700, at=NOW + HOUR)


def charge_of(subscription, **columns):
    return NextCharge.objects.create(subscription=subscription, version=4, attempts=3, **columns)


def as_it_is(row):
    return NextCharge.objects.filter(pk=row.pk).values().get()


def item(quantity: int | None = 1, end=END, price=(), **changes: Any) -> dict[str, Any]:
    usual = {"id": "price_low", "unit_amount": 500, "currency": "usd", **dict(price)}
    return {"price": usual, "quantity": quantity, "current_period_end": end, **changes}


def customer(method: str | None = "pm_1", **changes: Any) -> dict[str, Any]:
    return {"id": "cus_ada", "invoice_settings": {"default_payment_method": method}, **changes}


def found(items=None, **changes: Any) -> dict[str, Any]:
    usual = {"id": "sub_ada", "status": "active", "customer": customer(), "items": {"data": items or [item()]},
             "currency": "usd", "cancel_at": None, "cancel_at_period_end": False, "latest_invoice": None,
             "default_payment_method": None}  # fmt: skip
    return {**usual, **changes}


def reckoned(ada, told) -> Any:
    next_charges.note_change(ada, told)
    row = NextCharge.objects.get(subscription=ada)
    if row.ask_at is not None:
        assert (row.ask_at, row.amount, row.at) == (NOW, None, None)
        return ASKED
    return NOTHING if row.amount is None else (row.amount, int(row.at.timestamp()))


def invoice(**changes: Any) -> dict[str, Any]:
    return {"id": "in_1", "status": "paid", "amount_remaining": 700, **changes}


DRAFT = invoice(status="draft", auto_advance=True, automatically_finalizes_at=END - 9, next_payment_attempt=END - 7)
OPEN = invoice(status="open", next_payment_attempt=END - 5)
NO_METHOD = customer(method=None)
PLAIN = (500, END)
CANCELS = {"end_behavior": {"missing_payment_method": "cancel"}}
PAUSES = {"end_behavior": {"missing_payment_method": "pause"}}
INVOICES = {"end_behavior": {"missing_payment_method": "create_invoice"}}


@pytest.mark.parametrize(
    ("told", "charge"),
    [
        (found(), PLAIN),
        (found([item(3)]), (1500, END)),
        (found([item(0)]), (0, END)),
        (found(status="trialing"), PLAIN),
        (found(status="past_due"), PLAIN),
        *((found(status=status), NOTHING) for status in ("canceled", "unpaid", "incomplete", "paused")),
        (found(pause_collection={"behavior": "void"}), NOTHING),
        # It ends, at the end of its period or of the first of its items', or later.
        (found(cancel_at_period_end=True), NOTHING),
        (found(cancel_at=END - 1), NOTHING),
        (found(cancel_at=END), NOTHING),
        (found(cancel_at=END + 1), PLAIN),
        (found([item(), item(end=END + 9)], cancel_at=END), NOTHING),
        (found([item(), item(end=END + 9)], cancel_at=END + 1), ASKED),
        # A trial without a card.
        (found(status="trialing", trial_settings=CANCELS, customer=NO_METHOD), NOTHING),
        (found(status="trialing", trial_settings=PAUSES, customer=NO_METHOD), NOTHING),
        (found(status="trialing", trial_settings=INVOICES, customer=NO_METHOD), PLAIN),
        (found(status="trialing", trial_settings={"end_behavior": None}, customer=NO_METHOD), PLAIN),
        (found(status="active", trial_settings=CANCELS, customer=NO_METHOD), PLAIN),
        (found(status="trialing", trial_settings=CANCELS), PLAIN),
        (found(status="trialing", trial_settings=CANCELS, customer=NO_METHOD, default_payment_method="pm_1"), PLAIN),
        (found(status="trialing", trial_settings=CANCELS, customer="cus_ada"), ASKED),
        # An invoice that is collected before.
        (found(latest_invoice="in_1"), PLAIN),
        (found(latest_invoice=invoice()), PLAIN),
        (found(latest_invoice=DRAFT), (700, END - 9)),
        (found(latest_invoice={**DRAFT, "automatically_finalizes_at": None}), (700, END - 7)),
        (found(latest_invoice=invoice(status="draft", auto_advance=True)), (700, int(NOW.timestamp()))),
        (found(latest_invoice={**DRAFT, "amount_remaining": 1}), (1, END - 9)),
        (found(latest_invoice={**DRAFT, "amount_remaining": 0}), PLAIN),
        (found(latest_invoice={**DRAFT, "amount_remaining": None}), PLAIN),
        (found(latest_invoice={**DRAFT, "auto_advance": False}), PLAIN),
        (found(latest_invoice={**DRAFT, "status": "paid"}), PLAIN),
        (found(latest_invoice=DRAFT, pending_update={"subscription_items": []}), PLAIN),
        (found(latest_invoice=OPEN), PLAIN),
        (found(status="past_due", latest_invoice=OPEN), (700, END - 5)),
        (found(status="past_due", latest_invoice={**OPEN, "next_payment_attempt": None}), NOTHING),
        (found(status="past_due", latest_invoice={**OPEN, "status": "void"}), PLAIN),
        # Anything else counts.
        (found([item(), item()]), ASKED),
        (found(customer="cus_ada"), ASKED),
        (found(customer=customer(balance=-1)), ASKED),
        (found(customer=customer(discount={"id": "di_1"})), ASKED),
        (found(discounts=["di_1"]), ASKED),
        (found(default_tax_rates=["txr_1"]), ASKED),
        (found(automatic_tax={"enabled": True}), ASKED),
        (found(automatic_tax={"enabled": False}), PLAIN),
        (found([item(tax_rates=["txr_1"])]), ASKED),
        (found([item(discounts=["di_1"])]), ASKED),
        (found([item(None)]), ASKED),
        # The price is no plain one.
        (found([item(price={"billing_scheme": "per_unit"})]), PLAIN),
        (found([item(price={"billing_scheme": "tiered"})]), ASKED),
        (found([item(price={"transform_quantity": {"divide_by": 2}})]), ASKED),
        (found([item(price={"unit_amount": None})]), ASKED),
        (found([item(price={"currency": "eur"})]), ASKED),
    ],
)
def test_each_condition_alone_decides(ada, ben, told, charge):
    before = as_it_is(ben)
    assert reckoned(ada, told) == charge
    assert as_it_is(ben) == before


@pytest.mark.parametrize(("until", "charge"), [(NOW + SECOND, ASKED), (NOW, PLAIN), (NOW - SECOND, PLAIN)])
def test_an_invoice_item_is_waited_for_until_it_is_on_an_invoice(ada, until, charge):
    charge_of(ada, extras_until=until)
    assert reckoned(ada, found()) == charge


@pytest.mark.parametrize(
    ("replaced", "days", "charge"),
    [("price_low", 0, (2700, END)), ("price_low", 40, (1500, END)), ("price_high", 0, (1500, END))],
)
def test_a_price_that_comes_with_the_next_period_is_charged_then(ada, prices, replaced, days, charge):
    at = datetime.fromtimestamp(END, UTC) + timedelta(days=days)
    charge_of(ada, replaced_price=replaced, coming_price=prices[1], replaced_at=at)
    assert reckoned(ada, found([item(3)])) == charge


def phase(start=END, price="price_high", **changes: Any) -> dict[str, Any]:
    return {"start_date": start, "items": [{"price": price, "quantity": 2}], **changes}


def scheduled(*ahead: Any, **changes: Any) -> dict[str, Any]:
    under_way = {"start_date": END - 9, "items": [{"price": "price_low", "quantity": 1}]}
    current = {"start_date": END - 9, "end_date": END}
    return found(schedule={"status": "active", "current_phase": current, "phases": [under_way, *ahead]}, **changes)


TWO = [{"price": "price_high", "quantity": 2}, {"price": "price_low", "quantity": 1}]


@pytest.mark.parametrize(
    ("told", "charge"),
    [
        (scheduled(phase()), (1800, END)),
        (scheduled(phase(), phase(END + 9, "price_low")), (1800, END)),
        (scheduled(), ASKED),
        (scheduled(phase(price="price_unknown")), ASKED),
        (scheduled(phase(END + 1)), ASKED),
        (scheduled(phase(items=TWO)), ASKED),
        (scheduled(phase(trial_end=END + 9)), ASKED),
        (scheduled(phase(add_invoice_items=[{"price": "price_low"}])), ASKED),
        (scheduled(phase(discounts=[{"coupon": "half"}])), ASKED),
        (scheduled(phase(default_tax_rates=["txr_1"])), ASKED),
        (scheduled(phase(items=[{"price": "price_high", "quantity": 2, "discounts": ["di_1"]}])), ASKED),
        (scheduled(phase(), discounts=["di_1"]), ASKED),
        # An update that waits for its payment is no phase of the schedule, even where it ends with the period.
        (scheduled(phase(END + 9), pending_update={"subscription_items": [item()], "expires_at": END}), ASKED),
    ],
)
def test_a_schedule_is_reckoned_where_it_is_as_ours_are(ada, told, charge):
    assert reckoned(ada, told) == charge


OTHERWISE = [
    *(found(customer=customer(**{name: "x"})) for name in next_charges.OF_CUSTOMER),
    *(found(**{name: "past_due"}) for name in ("status", "default_tax_rates")),
    found(automatic_tax={"enabled": True}), found(cancel_at=END), found(pause_collection={"behavior": "void"}),
    found(trial_end=END), found(trial_settings=CANCELS),
    *(found(latest_invoice=invoice(**{name: 3})) for name in next_charges.OF_INVOICE),
    found(discounts=["di_1"]), found(discounts=[{"id": "di_2"}]), found(cancel_at_period_end=True),
    found(customer=NO_METHOD), found([item(price={"id": "price_high"})]), found([item(price={"unit_amount": 1})]),
    found([item(2)]), found([item(tax_rates=["txr_1"])]), found([item(discounts=["di_1"])]), found([item(end=END + 1)]),
    found([item(), item()]), scheduled(), scheduled(phase()), None,
]  # fmt: skip


def test_whatever_a_charge_depends_on_has_it_reckoned_anew(ada):
    bases = []
    for told in [found(), *OTHERWISE]:
        next_charges.note_change(ada, told)
        bases.append(NextCharge.objects.get().basis)
    assert len(set(bases)) == len(bases) == NextCharge.objects.get().version


SAME = found(discounts=["di_1"], customer=customer(address={"city": "Ulm", "country": "DE"}))


@pytest.mark.parametrize(
    ("told", "same"),
    [
        (SAME, SAME),
        (SAME, {**SAME, "discounts": [{"id": "di_1"}]}),
        (SAME, {**SAME, "metadata": {"note": "new"}, "latest_invoice": "in_1"}),
        (SAME, {**SAME, "customer": customer(address={"country": "DE", "city": "Ulm"})}),
        (SAME, {**SAME, "default_payment_method": "pm_9", "customer": {**SAME["customer"], "invoice_settings": None}}),
        (
            scheduled(phase()),
            {**scheduled(phase()), "schedule": {**scheduled(phase())["schedule"], "id": "sub_sched_9"}},
        ),
        (found(customer="cus_ada"), found(customer="cus_ada", schedule="sub_sched_1")),
        (found([item(discounts=["di_1"])]), found([item(discounts=[{"id": "di_1"}])])),
        (None, None),
    ],
)
def test_whatever_it_does_not_depend_on_leaves_it_and_its_question(ada, prices, told, same):
    charge_of(ada, replaced_price="price_low", coming_price=prices[1], replaced_at=NOW, extras_until=NOW + HOUR)
    next_charges.note_change(ada, told)
    row = NextCharge.objects.get()
    assert (row.version, row.attempts, row.currency) == (5, 0, "usd")
    NextCharge.objects.update(attempts=7, amount=3)
    before = as_it_is(row)
    next_charges.note_change(ada, same)
    assert as_it_is(row) == before


def test_of_what_is_gone_nothing_is_charged(ada, ben):
    before = as_it_is(ben)
    charge_of(ada, amount=500, at=NOW + HOUR)
    assert reckoned(ada, None) == NOTHING
    assert as_it_is(ben) == before

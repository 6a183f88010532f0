"""An invoice of Stripe's becomes our row, with what it can still buy: each rule alone, from both sides of its bound."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from billing.models import AccountDeletion, Customer, Invoice, StripeWrite, Subscription
from billing.subscriptions import invoices

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def customer():
    return Customer.objects.create(pk="cus_ada")


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def line(start, end, description=None, kind="subscription_item_details"):
    return {"period": {"start": start, "end": end}, "parent": {"type": kind}, "description": description}


MOMENTS: dict[str, Any] = {"finalized_at": None, "paid_at": None, "voided_at": None, "marked_uncollectible_at": None}


def found(*lines, subscription: str = "sub_1", moments=(), **changes) -> dict[str, Any]:
    usual = {
        "id": "in_1", "status": "open", "number": None, "billing_reason": None, "currency": "usd", "total": 2000,
        "collection_method": "charge_automatically", "total_taxes": [], "ending_balance": None, "description": None,
        "pre_payment_credit_notes_amount": 1, "amount_overpaid": 2, "amount_due": 3, "amount_paid": 4,
        "amount_remaining": 5, "attempt_count": 0, "next_payment_attempt": None, "due_date": None, "created": 100,
        "status_transitions": {**MOMENTS, **dict(moments)}, "lines": {"has_more": False, "data": list(lines)},
        "parent": {"subscription_details": {"subscription": subscription}} if subscription else None,
    }  # fmt: skip
    return {**usual, **changes}


def intent(status, **more):
    return {"payment": {"payment_intent": {"status": status, **more}}}


def paid_by(*payments):
    return {"payments": {"data": list(payments)}}


def had(name="sub_1", status="active", latest="in_1", ended_at=None, **columns):
    row = Subscription(customer_id="cus_ada", stripe_id=name, **columns)
    return row, {"id": name, "status": status, "latest_invoice": latest, "ended_at": ended_at}


def kept(customer, told, *others, **of_subscription):
    """The row of an invoice that is the latest of its subscription."""
    invoices.project_latest(customer, [had(latest=told, **of_subscription), *others])
    return Invoice.objects.get(pk=told["id"])


# Its columns


def test_an_invoice_is_kept_as_stripe_has_it(customer):
    told = found(
        line(10, 200), number="N-1", billing_reason="subscription_cycle", next_payment_attempt=130, due_date=140,
        moments={"finalized_at": 110, "paid_at": 120, "voided_at": 121, "marked_uncollectible_at": 122},
        starting_balance=-9, ending_balance=-2,
    )  # fmt: skip
    row = kept(customer, told)
    assert (row.customer, row.subscription_id, row.status, row.number) == (customer, "sub_1", "open", "N-1")
    assert (row.billing_reason, row.collection_method, row.currency) == (
        "subscription_cycle", "charge_automatically", "usd")  # fmt: skip
    assert (row.total, row.credited, row.overpaid, row.amount_due, row.amount_paid) == (2000, 1, 2, 3, 4)
    assert (row.amount_remaining, row.attempts, row.balance_applied, row.tax) == (5, 0, 7, 0)
    assert (row.next_attempt_at, row.due_at, row.created_at) == (at(130), at(140), at(100))
    assert (row.finalized_at, row.paid_at, row.voided_at, row.written_off_at) == (at(110), at(120), at(121), at(122))
    assert (row.period_start, row.period_end, row.description) == (at(10), at(200), "")


def test_it_is_due_when_it_was_finalized_unless_stripe_says_when(customer):
    assert kept(customer, found(moments={"finalized_at": 110})).due_at == at(110)
    assert kept(customer, found(id="in_2")).due_at is None


def test_words_too_long_for_their_columns_are_cut(customer):
    row = kept(customer, found(number="n" * 101, billing_reason="b" * 41, collection_method="c" * 31))
    assert (row.number, row.billing_reason, row.collection_method) == ("n" * 100, "b" * 40, "c" * 30)


@pytest.mark.parametrize(
    ("lines", "period"),
    [
        ([], (None, None)),
        ([line(100, 200)], (100, 200)),
        ([line(100, 200), line(90, 300)], (90, 300)),
        ([line(1, 99), line(100, 200)], (100, 200)),
        ([line(1, 100), line(100, 200)], (100, 200)),
        ([line(1, 101), line(100, 200)], (1, 200)),
        ([line(1, 90), line(2, 99)], (1, 99)),
        ([line(1, 500, kind="invoice_item_details"), line(100, 200)], (100, 200)),
    ],
)
def test_the_period_is_that_of_what_was_bought_and_not_of_use_that_is_over(customer, lines, period):
    row = kept(customer, found(*lines))
    assert (row.period_start, row.period_end) == tuple(each and at(each) for each in period)


@pytest.mark.parametrize(
    ("own", "lines", "description"),
    [
        ("Own", [line(1, 2, "Line")], "Own"),
        (None, [line(1, 2), line(1, 2, "Line"), line(1, 2, "Last")], "Line"),
        (None, [line(1, 2)], ""),
    ],
)
def test_a_one_off_invoice_says_what_it_is_for_and_others_do_not(customer, own, lines, description):
    other = found(*lines, description=own)
    assert kept(customer, other).description == ""
    one_off = kept(customer, found(*lines, description=own, id="in_2", subscription=""))
    assert (one_off.description, one_off.purpose) == (description, "one_off")


def test_the_lines_of_a_finalized_invoice_stay_and_those_of_a_draft_do_not(customer):
    kept(customer, found(line(100, 200), status="draft"))
    finalized = kept(customer, found(line(100, 300), moments={"finalized_at": 110}))
    assert finalized.period_end == at(300)
    later = kept(customer, found(line(100, 400), moments={"finalized_at": 110}, total=7))
    assert (later.period_end, later.total) == (at(300), 7)


def test_an_invoice_that_is_as_we_have_it_is_not_written_and_a_bystander_never(customer, django_assert_num_queries):
    ben = Invoice.objects.create(pk="in_ben", customer=Customer.objects.create(pk="cus_ben"), status="open",
                                 purpose="plan", subscription_id="sub_1", currency="usd", total=1, amount_due=1,
                                 amount_paid=0, amount_remaining=1, created_at=at(1))  # fmt: skip
    before = Invoice.objects.filter(pk=ben.pk).values().get()
    kept(customer, found())
    with django_assert_num_queries(1):
        invoices.project_latest(customer, [had(latest=found())])
    kept(customer, found(), status="canceled", ended_at=150)
    assert Invoice.objects.filter(pk=ben.pk).values().get() == before


def test_a_status_that_we_do_not_know_is_the_one_before_or_asks_for_nothing(customer):
    assert kept(customer, found(status="asleep")).status == "draft"
    kept(customer, found(id="in_2"))
    assert kept(customer, found(id="in_2", status="asleep")).status == "open"


# How its payment stands


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({"status": "paid"}, "paid"),
        ({"status": "void"}, "none"),
        ({"status": "draft", **paid_by(intent("processing"))}, "none"),
        ({}, "none"),
        ({"attempt_count": 1}, "failed"),
        (paid_by(intent("processing"), intent("requires_action")), "processing"),
        (paid_by(intent("requires_action"), intent("canceled")), "requires_action"),
        (paid_by(intent("requires_payment_method")), "none"),
        ({"attempt_count": 1, **paid_by(intent("requires_payment_method"))}, "failed"),
        (paid_by(intent("canceled", last_payment_error={"code": "x"}), intent("requires_confirmation")), "failed"),
        (paid_by(intent("asleep")), "was"),
        (paid_by({"payment": {"payment_intent": "pi_1"}}), "was"),
    ],
)
@pytest.mark.parametrize("was", [None, "none", "requires_action", "paid"])
def test_a_payment_stands_as_its_intents_say_and_else_as_it_was(customer, changes, standing, was):
    before = Invoice(payment=was) if was else None
    as_it_was = "none" if was in (None, "paid") else was
    assert invoices._standing(found(**changes), before) == (as_it_was if standing == "was" else standing)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        (paid_by(), True),
        (paid_by(intent("canceled")), True),
        (paid_by({"payment": {"payment_intent": "pi_1"}}), False),
    ],
)
def test_intents_are_known_where_they_were_expanded_or_there_are_none(changes, known):
    assert invoices.intents_are_known(found(**changes)) is known


# What it can buy


SENT = {"collection_method": "send_invoice"}
OTHER = had("sub_2", "active", latest=None, line="main")


@pytest.mark.parametrize(
    ("told", "of_subscription", "others", "purpose"),
    [
        (found(), {}, [], "plan"),
        (found(), {"whose": "foreign"}, [], "foreign"),
        (found(status="paid"), {"whose": "foreign"}, [], "foreign"),
        (found(status="paid"), {}, [], "plan"),
        # Of an ended subscription.
        (found(), {"status": "canceled", "ended_at": 101}, [], "nothing"),
        (found(), {"status": "canceled", "ended_at": 100}, [], "plan"),
        (found(), {"status": "incomplete_expired", "ended_at": None}, [], "nothing"),
        (found(**SENT), {"status": "canceled", "ended_at": 101}, [], "plan"),
        # Paid after its end.
        (found(status="paid", moments={"paid_at": 150}), {"status": "canceled", "ended_at": 150}, [], "nothing"),
        (found(status="paid", moments={"paid_at": 149}), {"status": "canceled", "ended_at": 150}, [], "plan"),
        (found(status="paid", moments={"paid_at": 150}), {"status": "canceled", "ended_at": 100}, [], "plan"),
        (found(status="paid"), {"status": "canceled", "ended_at": 150}, [], "plan"),
        (found(status="paid", moments={"paid_at": 150}, **SENT), {"status": "canceled", "ended_at": 150}, [], "plan"),
        (found(status="paid", moments={"paid_at": 150}), {"status": "active", "ended_at": 150}, [], "plan"),
        # Of an unpaid one: its latest brings it back, unless another has taken its place.
        (found(), {"status": "unpaid"}, [], "plan"),
        (found(), {"status": "unpaid"}, [OTHER], "nothing"),
        (found(), {"status": "past_due"}, [OTHER], "plan"),
        (found(**SENT), {"status": "unpaid"}, [OTHER], "plan"),
        *(
            (found(), {"status": "unpaid"}, [had("sub_2", status, latest=None)], purpose)
            for status, purpose in (("trialing", "nothing"), ("past_due", "nothing"), ("unpaid", "plan"),
                                    ("canceled", "plan"))
        ),
        (found(), {"status": "unpaid"}, [had("sub_2", latest=None, line="storage")], "plan"),
        (found(), {"status": "unpaid"}, [had("sub_2", latest=None, whose="unknown")], "plan"),
    ],
)  # fmt: skip
def test_what_an_invoice_can_buy(customer, told, of_subscription, others, purpose):
    assert kept(customer, told, *others, **of_subscription).purpose == purpose


def test_what_an_invoice_of_no_subscription_of_ours_could_buy_stays(customer):
    told = found(subscription="sub_9")
    row = kept(customer, told)
    assert row.purpose == "plan"
    Invoice.objects.update(purpose="nothing")
    assert kept(customer, told).purpose == "nothing"
    Invoice.objects.update(purpose="nothing")
    assert kept(customer, found(status="paid")).purpose == "nothing"


@pytest.mark.parametrize("status", ["draft", "open"])
def test_an_older_unpaid_invoice_is_judged_anew_and_a_settled_one_is_not(customer, status):
    for name, was in (("in_1", status), ("in_2", "paid"), ("in_3", "void")):
        kept(customer, found(id=name, status=was))
    latest = found(id="in_4", subscription="sub_1", created=300)
    kept(customer, latest, status="unpaid")
    purposes = dict(Invoice.objects.order_by("pk").values_list("pk", "purpose"))
    assert purposes == {"in_1": "nothing", "in_2": "plan", "in_3": "plan", "in_4": "plan"}
    invoices.project_latest(customer, [had("sub_9", latest=None)])
    assert dict(Invoice.objects.values_list("pk", "purpose")) == purposes, "of a subscription we do not see"


# Voided


def voided():
    return list(StripeWrite.objects.values_list("action", "lane", "object_id", "reference"))


@pytest.mark.parametrize(
    ("changes", "of_subscription", "is_voided"),
    [
        ({}, {"status": "canceled", "ended_at": 150}, True),
        ({}, {"status": "canceled", "ended_at": 50}, False),
        ({}, {}, False),
        ({"status": "draft"}, {"status": "canceled", "ended_at": 150}, False),
        (paid_by(intent("processing")), {"status": "canceled", "ended_at": 150}, False),
        ({}, {"status": "unpaid"}, False),
    ],
)
def test_an_open_invoice_that_can_buy_nothing_is_voided_once_its_subscription_has_ended(
    customer, changes, of_subscription, is_voided
):
    kept(customer, found(**changes), OTHER, **of_subscription)
    assert voided() == ([("close_invoice", "cus_ada", "in_1", "sub_1")] if is_voided else [])


def test_an_invoice_of_an_account_that_is_being_deleted_is_voided_by_the_deletion(customer):
    AccountDeletion.objects.create(customer=customer, lane="cus_ada", requested_at=NOW)
    kept(customer, found(), status="canceled", ended_at=150)
    assert voided() == []

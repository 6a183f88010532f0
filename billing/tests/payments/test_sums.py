"""Sums tell how much was paid for a moment and given back: of that time, that subscription, that customer alone."""

from datetime import UTC, datetime

import pytest

from billing.models import Customer, Dispute, Invoice, Refund
from billing.payments import sums

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_ada")


@pytest.fixture
def ben():
    return Customer.objects.create(pk="cus_ben")


def at(day):
    return datetime(2027, 3, day, tzinfo=UTC)


def invoice(customer, name, start=10, end=20, total=2000, created=None, **columns):
    usual = {
        "subscription_id": "sub_1", "status": "paid", "purpose": "plan", "currency": "usd", "total": total,
        "amount_due": total, "amount_paid": total, "amount_remaining": 0, "created_at": at(created or start),
        "period_start": at(start), "period_end": at(end),
    }  # fmt: skip
    return Invoice.objects.create(pk=name, customer=customer, **{**usual, **columns})


def refund(customer, name, invoice_id, amount, status="succeeded"):
    return Refund.objects.create(
        pk=name, customer=customer, invoice_id=invoice_id, amount=amount, currency="usd", status=status,
        created_at=at(11),
    )  # fmt: skip


def dispute(customer, name, invoice_id, amount, status="lost"):
    return Dispute.objects.create(
        pk=name, customer=customer, invoice_id=invoice_id, amount=amount, currency="usd", status=status,
        opened_at=at(11),
    )  # fmt: skip


def names(period):
    return [row.pk for row in period.rows]


@pytest.mark.parametrize(("day", "rows"), [(9, []), (10, ["in_1"]), (19, ["in_1"]), (20, ["in_2"]), (30, [])])
def test_the_invoice_whose_time_covers_the_moment_pays_for_it(ada, ben, day, rows):
    invoice(ada, "in_1")
    invoice(ada, "in_2", 20, 30)
    invoice(ben, "in_ben", 1, 31)
    invoice(ada, "in_other", 1, 31, subscription_id="sub_2")
    invoice(ada, "in_open", 1, 31, status="open")
    period = sums.period_at(ada, "sub_1", at(day))
    assert (names(period), period.reference) == (rows, rows[0] if rows else "")


def test_an_upgrade_that_came_later_in_that_time_pays_for_it_too_and_the_oldest_names_it(ada):
    invoice(ada, "in_9")
    invoice(ada, "in_8", 15, 20)
    invoice(ada, "in_7", 20, 30)
    period = sums.period_at(ada, "sub_1", at(12))
    assert (names(period), period.reference, period.paid) == (["in_9", "in_8"], "in_9", 4000)


def test_of_two_that_were_made_at_once_the_first_by_name_names_the_period(ada):
    invoice(ada, "in_2")
    invoice(ada, "in_1")
    assert sums.period_at(ada, "sub_1", at(12)).reference == "in_1"


def test_a_credit_is_no_payment(ada):
    invoice(ada, "in_1", total=2000)
    invoice(ada, "in_2", total=-500)
    assert sums.period_at(ada, "sub_1", at(12)).paid == 2000


def test_refunds_that_did_not_fail_and_lost_disputes_are_given_back(ada, ben):
    period = sums.Period([invoice(ada, "in_1")])
    assert period.given_back == 0
    for number, status in enumerate(("succeeded", "pending", "requires_action", *sorted(sums.UNDONE))):
        refund(ada, f"re_{number}", "in_1", 10**number, status)
    assert period.given_back == 111
    for number, status in enumerate(("lost", "won", "needs_response", "under_review"), start=4):
        dispute(ada, f"dp_{number}", "in_1", 3 * 10**number, status)
    assert period.given_back == 30_111
    refund(ben, "re_ben", "in_ben", 7)
    dispute(ben, "dp_ben", "in_ben", 7)
    assert period.given_back == 30_111
    assert sums.Period([]).given_back == 0


@pytest.mark.parametrize(
    ("total", "back", "is_given_back"), [(2000, 1999, False), (2000, 2000, True), (2000, 2001, True), (0, 0, False),
                                         (0, 5, False)]
)  # fmt: skip
def test_all_is_given_back_when_it_is_as_much_as_was_paid(ada, total, back, is_given_back):
    period = sums.Period([invoice(ada, "in_1", total=total)])
    refund(ada, "re_1", "in_1", back)
    assert period.is_given_back is is_given_back
    assert sums.Period([]).is_given_back is False


@pytest.mark.parametrize(("back", "is_asked"), [(1999, False), (2000, True)])
def test_stripe_is_asked_only_where_all_that_we_know_of_was_given_back(ada, monkeypatch, back, is_asked):
    invoice(ada, "in_1")
    refund(ada, "re_1", "in_1", back)
    asked = []

    def unheard_of(subscription):
        asked.append(subscription)
        invoice(ada, "in_2", 15, 20)
        return [{"id": "in_2"}]

    projected = []
    monkeypatch.setattr(sums.fetch, "paid_invoices", unheard_of)
    monkeypatch.setattr(sums.invoices, "project", lambda customer, found: projected.append((customer, found["id"])))
    period = sums.period_at(ada, "sub_1", at(12))
    assert (asked, projected) == ((["sub_1"], [(ada, "in_2")]) if is_asked else ([], []))
    assert names(period) == (["in_1", "in_2"] if is_asked else ["in_1"])

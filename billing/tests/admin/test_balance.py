"""Staff read Stripe's own books beside ours: what each payment, refund and dispute moved, and from there back."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BalanceTransaction, Dispute, InvoicePayment, Payment, Refund
from billing.sync import runs
from billing.sync.runs import Wanted

from .test_staff_actions import member

LIST = "/admin/billing/balancetransaction/"

VIEWS = ("view_balancetransaction", "view_payment", "view_refund", "view_dispute", "view_invoice")


@pytest.fixture
def ada(world):
    """Somebody who paid, got a part back, and disputed it; the sync has listed what moved."""
    ada = world.subscribed()
    world.refund(ada, 300)
    world.dispute(ada)
    world.deliver()
    world.advance(hours=0.1)
    runs.run(Wanted())
    return ada


def page(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def page_of(client, row):
    return page(client, f"/admin/billing/{row._meta.model_name}/{row.pk}/change/")


def listed(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return {row.type for row in answer.context["cl"].result_list}


@pytest.mark.django_db(transaction=True)
def test_a_transaction_leads_to_customer_invoice_and_payment_and_the_payment_leads_back(ada):
    staff, payment = member("root@example.com", *VIEWS), Payment.objects.get()
    charge = BalanceTransaction.objects.get(type="charge")
    shown = page_of(staff, charge)
    for address in (f"customer/{ada.customer}", f"payment/{payment.pk}", f"invoice/{payment.invoice_id}"):
        assert f'href="/admin/billing/{address.replace("_", "_5F")}/change/"' in shown
    assert "$20.00" in shown
    assert "Minor units" not in shown, "fee and rest are amounts of money"
    moved = {row.pk.replace("_", "_5F") for row in BalanceTransaction.objects.all()}
    assert len(moved) == 3
    assert all(f"/balancetransaction/{pk}/change/" in page_of(staff, payment) for pk in moved)


@pytest.mark.django_db(transaction=True)
def test_refunds_and_disputes_lead_to_their_transactions_alone(ada):
    staff = member("root@example.com", *VIEWS)
    for row in (Refund.objects.get(), Dispute.objects.get()):
        shown = page_of(staff, row)
        [own] = BalanceTransaction.objects.filter(source=row.pk)
        assert shown.count("/balancetransaction/txn") == 1
        assert f"/balancetransaction/{own.pk.replace('_', '_5F')}/change/" in shown
        assert row.pk in page_of(staff, own)


@pytest.mark.django_db(transaction=True)
def test_it_is_found_by_any_id_of_the_payment(ada):
    staff, payment = member("root@example.com", *VIEWS), Payment.objects.get()
    link = InvoicePayment.objects.get()
    every = {row.type for row in BalanceTransaction.objects.all()}
    for term in (payment.invoice_id, link.payment_intent, ada.customer):
        assert listed(staff, q=term) == every
    assert listed(staff, q=Dispute.objects.get().pk) == {"adjustment"}
    assert listed(staff, q="in_unknown") == set()


@pytest.mark.django_db
def test_without_the_permission_there_is_no_list_and_no_line_on_the_payments_page(rows):
    staff = member("root@example.com", "view_payment")
    assert staff.get(LIST).status_code == 403
    assert "On Stripe" not in page_of(staff, rows[Payment])
    assert "On Stripe" in page_of(member("eve@example.com", *VIEWS), rows[Payment])


@pytest.mark.django_db
def test_it_is_filtered_by_type_and_by_a_month_in_utc(staff, rows):
    last, usual = datetime(2026, 10, 31, 23, 59, tzinfo=UTC), BalanceTransaction.objects.get()
    BalanceTransaction.objects.update(created_at=last)
    usual.pk, usual.type, usual.created_at = "txn_2", "payout", datetime(2026, 12, 1, tzinfo=UTC)
    usual.save(force_insert=True)
    assert listed(staff) == {"charge", "payout"}
    assert listed(staff, month="2026-10") == {"charge"}
    assert listed(staff, month="2026-11") == set()
    assert listed(staff, month="gestern") == set()
    assert listed(staff, type="payout") == {"payout"}
    shown = page(staff, LIST)
    assert [month in shown for month in ("2026-09", "2026-10", "2026-11", "2026-12")] == [False, True, True, True]


@pytest.mark.django_db
def test_money_that_stripe_converted_and_of_nobody_we_know_is_shown_as_it_is(staff, rows):
    BalanceTransaction.objects.update(face_amount=2000, face_currency="usd", exchange_rate=0.3, customer_id="cus_gone")
    shown = page_of(staff, BalanceTransaction.objects.get())
    assert all(words in shown for words in ("$20.00", "converted at 0.3", "KWD", "cus_gone"))
    assert "/admin/billing/customer/cus" not in shown


@pytest.mark.django_db
def test_a_longer_list_costs_no_more_queries(staff, rows):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page(staff, LIST)
        return len(asked)

    before, usual = queries(), BalanceTransaction.objects.get()
    for number in range(2, 12):
        usual.pk = f"txn_{number}"
        usual.save(force_insert=True)
    assert queries() == before

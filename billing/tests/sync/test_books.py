"""The sync lists Stripe's own books, and mends rows of ours that they do not explain."""

import pytest
from django.db import OperationalError, connection

from billing import books, stripe_client
from billing.models import (
    Alert,
    BalanceTransaction,
    CreditNote,
    Invoice,
    InvoicePayment,
    Payment,
    Refund,
    SyncRun,
    TaxRate,
)
from billing.sync import runs
from billing.sync.runs import Wanted
from billing.testing import now as sandbox_now
from billing.tests.mailing import GRACE

pytestmark = pytest.mark.django_db(transaction=True)


def sync(world, **wanted):
    """Run the sync a while after all that happened."""
    world.advance(hours=0.1)
    return runs.run(Wanted(**wanted))


@pytest.fixture
def ada(world):
    return world.subscribed()


def listed(world, path):
    return [call["count"] for call in world.calls()["data"] if call["path"] == path]


def test_each_balance_transaction_is_a_row_with_its_customer_and_what_it_is_about(world, ada):
    refund = world.refund(ada, 300)
    dispute = world.dispute(ada)
    sync(world)
    charge = world.charge_of(ada)
    names = ("category", "amount", "fee", "net", "charge", "refund", "dispute", "customer_id", "face_currency")
    about = (charge["id"], "", "", ada.customer, "usd")
    assert list(BalanceTransaction.objects.order_by("-amount").values_list(*names)) == [
        ("charge", 2000, 88, 1912, *about),
        ("refund", -300, 0, -300, charge["id"], refund, "", ada.customer, "usd"),
        ("dispute", -2000, 1500, -3500, charge["id"], "", dispute, ada.customer, "usd"),
    ]
    assert {row.payment_intent for row in BalanceTransaction.objects.all()} == {charge["payment_intent"]}


def test_a_run_lists_what_is_new_and_a_full_one_asked_for_lists_all(world, ada):
    world.advance(days=5)
    sync(world)
    world.advance(days=27)
    world.deliver()
    BalanceTransaction.objects.all().delete()
    run = sync(world)
    assert (BalanceTransaction.objects.count(), run.books_at == run.clock_at) == (1, True)
    sync(world, is_full=True)
    assert BalanceTransaction.objects.count() == 2


def test_what_is_listed_again_changes_nothing(world, ada):
    world.refund(ada, 300)
    sync(world)
    before = list(BalanceTransaction.objects.values())
    sync(world, is_full=True)
    assert list(BalanceTransaction.objects.values()) == before


def test_a_dry_run_writes_no_row_of_the_books(world, ada):
    world.refund(ada, 300)
    run = sync(world, is_full=True, is_dry=True)
    assert (BalanceTransaction.objects.count(), books.books_at(), run.books_at) == (0, None, None)
    assert "2 of /v1/balance_transactions have no row here yet." in run.notes


@pytest.mark.postgres
def test_one_row_that_cannot_be_saved_is_named_and_holds_up_no_other(world, ada):
    refund = world.refund(ada, 300)
    state = world.sandbox.state
    broken = next(row for row in state.table("balance_transaction").rows.values() if row["source"] == refund)
    for name, value in (("fee", None), ("amount", 2**70), ("created", "soon")):
        kept, broken[name] = broken[name], value
        run = sync(world, is_full=True)
        broken[name] = kept
        assert f"{broken['id']} of /v1/balance_transactions could not be saved, so the books lack it." in run.notes
        assert BalanceTransaction.objects.get().category == "charge"


def test_a_database_that_is_away_for_a_moment_is_no_fault_of_the_rows(world, ada):
    """Otherwise the run would count as done, and no later one lists what is older than three days."""

    def away(execute, sql, *args):
        if sql.startswith('INSERT INTO "billing_balancetransaction"'):
            raise OperationalError("database is locked")
        return execute(sql, *args)

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        sync(world)
    assert (SyncRun.objects.get().status, books.books_at()) == ("failed", None)
    sync(world)
    assert BalanceTransaction.objects.count() == 1


def test_a_key_that_may_not_read_the_balance_stops_nothing_else(world, ada, monkeypatch):
    get = stripe_client.get

    def refuse(path, **params):
        if path == "/v1/balance_transactions":
            raise stripe_client.InvalidRequest("This key may not read it.", None)
        return get(path, **params)

    monkeypatch.setattr(stripe_client, "get", refuse)
    run = sync(world)
    assert (run.status, run.books_at) == ("done", None)
    assert any(note.startswith("The books were not filled") for note in run.notes)


def test_credit_notes_and_tax_rates_are_rows(world, ada):
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=19, inclusive=False, country="DE")["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", default_tax_rates=[rate])
    world.advance(days=32)
    world.deliver()
    invoice = Invoice.objects.get(billing_reason="subscription_cycle")
    assert [(tax["rate"], tax["amount"], tax["taxable"]) for tax in invoice.taxes] == [(rate, 380, 2000)]
    note = world.stripe("POST", "credit_notes", invoice=invoice.pk, amount=1190, credit_amount=500, refund_amount=690)
    world.deliver()
    sync(world)
    assert str(TaxRate.objects.get(pk=rate)) == "VAT 19% DE"
    row = CreditNote.objects.get()
    assert (row.pk, row.customer_id, row.total, row.to_balance) == (note["id"], ada.customer, 1190, 500)
    assert row.refunds == [Refund.objects.get().pk]
    assert [(tax["rate"], tax["amount"], tax["taxable"]) for tax in row.taxes] == [(rate, 190, 1000)]
    assert books.reckon().differences == []


# What our rows lack


def test_an_invoice_of_a_charge_that_nobody_told_us_of_is_recorded_in_silence(world, ada):
    world.advance(days=32)
    world.deliver()
    InvoicePayment.objects.all().delete()
    Invoice.objects.filter(billing_reason="subscription_cycle").delete()
    world.heard.clear()
    sync(world)
    assert (Invoice.objects.count(), InvoicePayment.objects.count(), world.heard) == (2, 2, [])
    assert books.reckon().differences == []


def test_a_charge_without_an_invoice_is_asked_about_once(world, ada):
    method = world.stripe("GET", f"customers/{ada.customer}/payment_methods")["data"][0]["id"]
    world.stripe("POST", "payment_intents", amount=700, currency="usd", customer=ada.customer, payment_method=method,
                 confirm=True, off_session=True)  # fmt: skip
    world.deliver()
    sync(world)
    asked = listed(world, "/v1/invoice_payments")
    sync(world)
    assert listed(world, "/v1/invoice_payments") == asked
    assert (BalanceTransaction.objects.get(is_without_invoice=True).amount, books.reckon().differences) == (700, [])


def test_money_of_before_we_knew_the_customer_is_not_in_the_books(world, ada):
    """As of an import: Stripe lists what was paid and refunded long ago, of which we have nothing."""
    world.refund(ada, 300)
    world.deliver()
    for model in (Refund, Payment, InvoicePayment, Invoice):
        model.objects.all().delete()
    world.advance(days=32)
    world.deliver()
    sync(world, is_full=True)
    assert (Invoice.objects.count(), Refund.objects.count(), books.reckon().differences) == (1, 0, [])


@pytest.mark.postgres
def test_a_full_run_mends_rows_that_the_books_do_not_explain(world, ada):
    refund = world.refund(ada, 300)
    world.deliver()
    dispute = world.dispute(ada)
    world.deliver()
    sync(world)
    Invoice.objects.update(total=1, amount_paid=3)
    InvoicePayment.objects.update(amount=7)
    Refund.objects.filter(pk=refund).update(status="failed")
    type(ada.row.customer).objects.get(pk=ada.customer).disputes.filter(pk=dispute).update(status="won")
    assert len(books.reckon().differences) >= 4
    run = sync(world, is_full=True)
    assert books.reckon().differences == []
    assert not Alert.objects.filter(pk="books").exists()
    assert any("Stripe was asked anew" in note for note in run.notes)


def test_a_refund_whose_event_never_came_is_recorded_and_announced_by_a_full_run(world, ada):
    world.refund(ada, 300)
    world.delivered.update(event["id"] for event in world.events())
    world.advance(days=31)
    world.deliver()
    world.heard.clear()
    sync(world, is_full=True)
    assert (Refund.objects.get().amount, world.said(ada)) == (300, ["refund_issued"])
    assert books.reckon().differences == []


def test_staff_are_told_of_what_stays_different(world, ada, settings):
    settings.ADMINS = GRACE
    sync(world)
    charge = next(iter(world.sandbox.state.table("balance_transaction").rows.values()))
    charge["amount"], charge["net"] = 1900, 1812
    sync(world, is_full=True)
    alert = Alert.objects.get(pk="books")
    assert alert.subject == "The books differ from Stripe in 1 place"
    assert "moved $20.00, and $19.00 by Stripe's balance" in alert.text
    assert SyncRun.objects.filter(books_at__lte=sandbox_now()).count() == 2

"""The ledger of a month: its lines, its own sums, and what it says of itself."""

import csv
import io
import os
import re
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing import books, clock
from billing.books.ledger import Ledger, Month, NotAMonth
from billing.models import BalanceTransaction, Customer, Invoice, InvoicePayment, TaxRate
from billing.sync import runs
from billing.sync.runs import Wanted
from billing.testing import now as sandbox_now

pytestmark = pytest.mark.django_db(transaction=True)


def ledger(month, form="csv"):
    out = io.StringIO()
    made = Ledger(Month.parse(month), form)
    made.write(out)
    return made, out.getvalue()


def lines(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def month(world):
    return f"{sandbox_now():%Y-%m}"


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def october(db):
    """Two invoices of 2026-10 as rows alone: one in yen with two taxes on different lines, one that was converted."""
    at = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    customer = Customer.objects.create(pk="cus_a")
    TaxRate.objects.create(pk="txr_jp", percentage=Decimal(10), country="JP", name="JCT")
    TaxRate.objects.create(pk="txr_low", percentage=Decimal("8.0"), country="JP", name="JCT")
    usual = {"customer": customer, "purpose": "plan", "status": "paid", "created_at": at, "finalized_at": at}
    taxes = [
        {"rate": "txr_low", "amount": 80, "taxable": 1000},
        {"rate": "txr_jp", "amount": 200, "taxable": 2000},
    ]
    yen = {"currency": "jpy", "total": 3280, "amount_due": 3280, "amount_paid": 3280, "paid_at": at}
    Invoice.objects.create(pk="in_yen", tax=280, taxes=taxes, **yen, **usual)
    euro = {"currency": "eur", "total": 1000, "amount_due": 1000, "amount_paid": 1000, "paid_at": at}
    Invoice.objects.create(pk="in_euro", **euro, **usual)
    paid = {"customer": customer, "paid_at": at}
    InvoicePayment.objects.create(pk="inpay_1", invoice_id="in_euro", payment_intent="pi_1", amount=1000, **paid)
    BalanceTransaction.objects.create(
        pk="txn_1", type="charge", category="charge", amount=1234, fee=66, net=1168, currency="usd",
        exchange_rate=1.234, face_amount=1000, face_currency="eur", created_at=at, source="ch_1", charge="ch_1",
        payment_intent="pi_1", customer_id="cus_a",
    )  # fmt: skip


def test_a_month_has_a_line_for_each_fact_and_tax_rate_in_the_currencys_own_digits(october):
    made, text = ledger("2026-10")
    assert text.splitlines() == [
        "date,customer,invoice,kind,net,tax,tax rate,tax country,gross,fee,currency",
        "2026-10-31,cus_a,in_euro,invoice,10.00,0.00,,,10.00,0.00,EUR",
        "2026-10-31,cus_a,in_yen,invoice,2000,200,10,JP,2200,0,JPY",
        "2026-10-31,cus_a,in_yen,invoice,1000,80,8,JP,1080,0,JPY",
        "2026-10-31,cus_a,in_yen,out_of_band,3280,0,,,3280,0,JPY",
        "2026-10-31,cus_a,in_euro,payment,10.00,0.00,,,10.00,0.00,EUR",
        "2026-10-31,cus_a,in_euro,conversion,-10.00,0.00,,,-10.00,0.00,EUR",
        "2026-10-31,cus_a,in_euro,conversion,12.34,0.00,,,12.34,0.66,USD",
    ]
    assert made.is_even
    assert lines(ledger("2026-11")[1]) == lines(ledger("2026-09")[1]) == []


def test_as_beancount_every_transaction_comes_to_zero(october):
    made, text = ledger("2026-10", "beancount")
    assert made.is_even
    assert sums_of(text) == [{}] * 4
    assert '2026-10-31 * "cus_a" "payment in_euro"' in text
    assert "  Assets:Stripe  -10.00 EUR @@ 12.34 USD\n  Assets:Stripe  12.34 USD\n" in text
    assert "  Liabilities:Tax:JP  -80 JPY" in text
    opened = re.findall(r"^1970-01-01 open (\S+)$", text, re.MULTILINE)
    assert set(re.findall(r"^  (\S+:\S+)  ", text, re.MULTILINE)) <= set(opened)


def sums_of(text):
    """Return the sum of each transaction of a beancount text by currency, without zeros."""
    found = []
    for line in text.splitlines():
        if re.match(r"\d{4}-\d\d-\d\d \*", line):
            found.append({})
        elif posting := re.match(r"  \S+:\S+  (-?[\d.]+) ([A-Z]{3})(?: @@ ([\d.]+) ([A-Z]{3}))?$", line):
            number, currency, price, of = posting.groups()
            sign = -1 if number.startswith("-") else 1
            amount, currency = (sign * Decimal(price), of) if price else (Decimal(number), currency)
            found[-1][currency] = found[-1].get(currency, 0) + amount
    return [{currency: amount for currency, amount in sums.items() if amount} for sums in found]


def test_the_sums_of_several_customers_and_currencies_are_added_up(october):
    for number, (pk, row) in enumerate((("cus_b", "txn_2"), ("cus_c", "txn_3"))):
        at = datetime(2026, 10, 20 + number, tzinfo=UTC)
        Customer.objects.create(pk=pk)
        invoice, paid = Invoice.objects.get(pk="in_euro"), BalanceTransaction.objects.get(pk="txn_1")
        invoice.pk, invoice.customer_id, invoice.created_at = f"in_{pk}", pk, at
        invoice.save(force_insert=True)
        paid.pk, paid.customer_id, paid.payment_intent, paid.charge = row, pk, "", ""
        paid.save(force_insert=True)
    made, text = ledger("2026-10")
    assert made.wrong == []
    assert [line["gross"] for line in lines(text) if line["kind"] == "payment"] == ["10.00"] * 3


def test_money_of_before_the_first_invoice_of_a_customer_is_in_no_ledger(october):
    BalanceTransaction.objects.update(created_at=datetime(2026, 9, 30, tzinfo=UTC))
    assert lines(ledger("2026-09")[1]) == []


def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_text(october):
    Invoice.objects.filter(pk="in_euro").update(id="=HYPERLINK()")
    InvoicePayment.objects.update(invoice_id="=HYPERLINK()")
    TaxRate.objects.update(country="-J")
    found = lines(ledger("2026-10")[1])
    assert {line["invoice"] for line in found} == {"'=HYPERLINK()", "in_yen"}
    assert {line["tax country"] for line in found} == {"", "'-J"}


def test_a_whole_story_is_exported_and_its_claims_come_to_what_is_open(world, ada, month):
    world.refund(ada, 300)
    world.deliver()
    dispute = world.dispute(ada)
    world.close_dispute(dispute, "won")
    terms = {"collection_method": "send_invoice", "days_until_due": 30, "currency": "usd"}
    for act, params in (("void", {}), ("mark_uncollectible", {}), ("pay", {"paid_out_of_band": True}), ("", {})):
        invoice = world.stripe("POST", "invoices", customer=ada.customer, **terms)["id"]
        world.stripe("POST", "invoiceitems", customer=ada.customer, invoice=invoice, amount=500, currency="usd")
        world.stripe("POST", f"invoices/{invoice}/finalize")
        if act:
            world.stripe("POST", f"invoices/{invoice}/{act}", **params)
    intent = world.stripe("GET", "payment_intents", customer=ada.customer)["data"][-1]
    world.stripe("POST", "payment_intents", amount=700, currency="usd", customer=ada.customer, confirm=True,
                 payment_method=intent["payment_method"], off_session=True)  # fmt: skip
    world.deliver()
    runs.run(Wanted())
    made, text = ledger(month)
    said = [f"{line['kind']} {line['gross']} {line['fee']}" for line in lines(text)]
    assert sorted(said) == sorted([
        "invoice 20.00 0.00", "payment 20.00 0.88", "refund -3.00 0.00", "dispute -20.00 15.00",
        "dispute_reversed 20.00 -15.00", "invoice 5.00 0.00", "void -5.00 0.00", "invoice 5.00 0.00",
        "write_off -5.00 0.00", "invoice 5.00 0.00", "out_of_band 5.00 0.00", "invoice 5.00 0.00", "payment 7.00 0.50",
    ])  # fmt: skip
    assert (made.wrong, made.differences) == ([], [])
    postings = ledger(month, "beancount")[1]
    assert sums_of(postings) == [{}] * len(said)
    claims = [Decimal(found) for found in re.findall(r"Assets:Receivable  (\S+) USD", postings)]
    assert sum(claims) == 5, "the one that is open"
    stripe = [Decimal(found) for found in re.findall(r"Assets:Stripe  (\S+) USD", postings)]
    nets = BalanceTransaction.objects.values_list("net", flat=True)
    assert sum(stripe) * 100 == sum(nets) == world.stripe("GET", "balance")["pending"][0]["amount"]
    assert "Income:Without-Invoice  -7.00 USD" in postings


def test_what_customers_owe_comes_to_nothing_however_their_invoices_ended(world, ada, invoice_of, pay_part, month):
    """Written off and paid or voided later, paid in parts, credited before and after, by balance, too much at once."""

    def post(path, **params):
        return world.stripe("POST", path, **params)

    customer = ada.customer
    written_off = [invoice_of(customer) for _ in range(3)]
    for invoice in written_off:
        if invoice != written_off[1]:
            pay_part(ada, invoice, 1000)
        post(f"invoices/{invoice}/mark_uncollectible")
    world.advance(hours=0.1)
    post(f"invoices/{written_off[0]}/pay", paid_out_of_band=True)
    post(f"invoices/{written_off[1]}/void")
    credited = invoice_of(customer)
    post("credit_notes", invoice=credited, amount=1500)
    world.control(f"invoices/{credited}/pay", payment_method="pm_card_visa")
    world.deliver()
    post("credit_notes", invoice=credited, amount=900, refund_amount=500, credit_amount=300, out_of_band_amount=100)
    by_balance = invoice_of(customer, 250)
    post(f"customers/{customer}/balance_transactions", amount=-2000, currency="usd")
    post(f"invoices/{invoice_of(customer, 5000)}/void")
    credit = invoice_of(customer, -400)
    noted = invoice_of(customer, 9000)
    note = post("credit_notes", invoice=noted, amount=100)["id"]
    post(f"credit_notes/{note}/void")
    post(f"invoices/{noted}/void")
    world.deliver()
    world.advance(hours=0.1)
    runs.run(Wanted())
    made, text = ledger(month)
    assert (made.wrong, made.differences) == ([], [])
    open_ = sum(Invoice.objects.filter(status="open").values_list("amount_remaining", flat=True))
    postings = ledger(month, "beancount")[1]
    assert all(sums == {} for sums in sums_of(postings))
    assert account(postings, "Assets:Receivable") == open_
    balance = world.stripe("GET", f"customers/{customer}")["balance"]
    assert account(postings, "Liabilities:Customer-Balance") == balance + 2000, "2000 were given outside of invoices"
    assert account(postings, "Expenses:Bad-Debts") == 4000, "the one that stayed written off"
    assert account(postings, "Income:Refunds") == 0, "a credit note explains the refund"
    assert {by_balance, credit} <= {line["invoice"] for line in lines(text)}


def account(text, name):
    """Return the sum on an account in dollars, in cents."""
    return sum(Decimal(found) * 100 for found in re.findall(rf"^  {name}  (\S+) USD", text, re.MULTILINE))


def test_its_own_sums_are_checked_against_the_databases(october, monkeypatch):
    monkeypatch.setattr(books.ledger, "facts", lambda span: iter(()))
    assert ledger("2026-10")[0].wrong == [
        "the lines of fee come to $0.00, and the rows to $0.66",
        "the lines of invoice come to €0.00, and the rows to €10.00",
        "the lines of invoice come to ¥0, and the rows to ¥3,280",
        "the lines of payment come to €0.00, and the rows to €10.00",
    ]


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "2026", "October", "2026-10-01", ""])
def test_what_is_no_month_is_refused_with_a_sentence(text):
    with pytest.raises(NotAMonth, match="Write 2026-10"):
        Month.parse(text)
    with pytest.raises(CommandError) as refused:
        call_command("export_ledger", month=text)
    assert refused.value.returncode == 2


def test_december_ends_with_the_year():
    assert Month.parse("2026-12").span.until == datetime(2027, 1, 1, tzinfo=UTC)


# The command


def exported(**options):
    out, err = io.StringIO(), io.StringIO()
    call_command("export_ledger", stdout=out, stderr=err, no_color=True, **options)
    return out.getvalue(), err.getvalue()


def test_the_command_says_on_stderr_what_it_wrote_and_what_is_still_to_come(october):
    now, listed_at = clock.now(), datetime(2026, 10, 5, tzinfo=UTC)
    runs.SyncRun.objects.create(mode="full", status="done", started_at=now, clock_at=now, books_at=listed_at)
    out, err = exported(month="2026-10")
    assert out == ledger("2026-10")[1]
    listed = "Stripe's balance transactions are here up to 2026-10-05 00:00: run `manage.py sync_stripe`."
    assert err == f"Ledger of 2026-10: 2 invoice, 1 out of band, 1 payment; the books balance. {listed}\n"
    _, err = exported(month="2999-01")
    assert err == "Ledger of 2999-01: no money moved; the books balance. 2999-01 is not over, so lines will be added.\n"


def test_the_command_names_each_difference_and_fails(october):
    Invoice.objects.filter(pk="in_yen").update(amount_due=3000)
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"; 2 differences\.") as failed:
        call_command("export_ledger", month="2026-10", stdout=io.StringIO(), stderr=err, no_color=True)
    assert failed.value.returncode == 1
    assert err.getvalue().splitlines() == [
        "cus_a: in_yen is over ¥3,280, less ¥0 of the balance and ¥0 credited, yet asks ¥3,000",
        "cus_a: in_yen asks ¥3,000, yet ¥3,280 is paid and ¥0 remains",
    ]


def test_a_file_is_there_once_it_is_whole_and_only_its_owner_may_read_it(october, tmp_path):
    file = tmp_path / "ledger.csv"
    file.write_text("old")
    out, _ = exported(month="2026-10", output=file)
    assert (out, file.read_text()) == ("", ledger("2026-10")[1])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["ledger.csv"]


@pytest.mark.parametrize("name", [".", "/", ""])
def test_what_cannot_be_a_file_is_said_in_a_sentence(october, name):
    with pytest.raises(CommandError, match="could not be written: Is a directory"):
        exported(month="2026-10", output=Path(name))


def test_what_is_no_file_such_as_dev_null_is_not_replaced(october, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(CommandError, match="could not be written: It is no file"):
            exported(month="2026-10", output=tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "link").stat().st_mode)


def test_a_link_is_replaced_and_what_it_leads_to_stays(october, tmp_path):
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "ledger.csv").symlink_to("theirs")
    exported(month="2026-10", output=tmp_path / "ledger.csv")
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not (tmp_path / "ledger.csv").is_symlink()


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(october, tmp_path):
    with pytest.raises(CommandError, match="could not be written: No such file or directory"):
        exported(month="2026-10", output=tmp_path / "no" / "ledger.csv")

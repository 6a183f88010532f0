"""The books of whole stories at Stripe balance to the minor unit, and each difference is named."""

import pytest

from billing import books
from billing.books import recording
from billing.books.facts import facts
from billing.models import BalanceTransaction, Customer, Dispute, Invoice, InvoicePayment, Refund, StripeEvent
from billing.sync import runs
from billing.sync.runs import Wanted

pytestmark = pytest.mark.django_db(transaction=True)


def sync(world):
    """List what is new at Stripe, a while after it happened."""
    world.advance(hours=0.1)
    runs.run(Wanted())


def reckoned(world):
    sync(world)
    return books.reckon()


def differences():
    return [str(each) for each in books.reckon().differences]


def sheet(done):
    whole = done.whole()["usd"]
    return {name: value for name, value in vars(whole).items() if value}


def test_a_life_with_a_refund_and_a_dispute_that_was_won_balances(world, ada):
    world.refund(ada, 300)
    world.deliver()
    world.advance(days=32)
    dispute = world.dispute(ada)
    world.close_dispute(dispute, "won")
    world.deliver()
    done = reckoned(world)
    assert (done.differences, sheet(done)) == ([], {"invoiced": 4000, "paid": 4000})
    assert list(done.sheets) == [(ada.customer, "usd")]


@pytest.mark.parametrize(
    ("act", "becomes"),
    [
        (lambda w, i: w.stripe("POST", f"invoices/{i}/void"), {"void": 5000}),
        (lambda w, i: w.stripe("POST", f"invoices/{i}/mark_uncollectible"), {"written_off": 5000}),
        (lambda w, i: w.stripe("POST", f"invoices/{i}/pay", paid_out_of_band=True), {"elsewhere": 5000}),
        (lambda w, i: w.stripe("POST", "credit_notes", invoice=i, amount=1500), {"credited": 1500, "open": 3500}),
        (lambda w, i: w.stripe("POST", "credit_notes", invoice=i, amount=5000), {"credited": 5000}),
        (lambda w, i: w.control(f"invoices/{i}/pay", payment_method="pm_card_visa"), {"paid": 5000}),
        (lambda w, i: None, {"open": 5000}),
    ],
)  # fmt: skip
def test_an_invoice_comes_out_even_however_it_ends(world, ada, invoice_of, act, becomes):
    act(world, invoice_of(ada.customer))
    world.deliver()
    done = reckoned(world)
    wanted = {"invoiced": 7000, "paid": 2000}
    for name, amount in becomes.items():
        wanted[name] = wanted.get(name, 0) + amount
    assert (done.differences, sheet(done)) == ([], wanted)


def test_what_the_customers_balance_paid_is_given_back_by_a_void(world, ada, invoice_of):
    world.stripe("POST", f"customers/{ada.customer}/balance_transactions", amount=-1200, currency="usd")
    invoice = invoice_of(ada.customer)
    world.deliver()
    done = reckoned(world)
    assert sheet(done) == {"invoiced": 7000, "paid": 2000, "by_balance": 1200, "open": 3800}
    said = "$70.00 invoiced = $20.00 paid + $12.00 paid by balances + $38.00 open"
    assert done.whole()["usd"].said("usd") == said
    world.stripe("POST", f"invoices/{invoice}/void")
    world.deliver()
    assert sheet(reckoned(world)) == {"invoiced": 7000, "paid": 2000, "void": 5000}
    assert differences() == []


def test_a_part_that_was_paid_stays_paid_when_the_rest_is_written_off(world, ada, invoice_of, pay_part):
    invoice = invoice_of(ada.customer)
    pay_part(ada, invoice, 1000)
    world.stripe("POST", f"invoices/{invoice}/mark_uncollectible")
    world.deliver()
    done = reckoned(world)
    assert (done.differences, sheet(done)) == ([], {"invoiced": 7000, "paid": 3000, "written_off": 4000})


def test_a_refund_that_failed_later_and_a_dispute_that_was_lost_balance(world, ada):
    refund = world.refund(ada, 500)
    world.control(f"refunds/{refund}/fail")
    world.deliver()
    world.dispute(ada)
    world.deliver()
    assert reckoned(world).differences == []


def lost_in_part(world, ada, returned=800):
    """Lose a dispute of $20.00, of which Stripe gives a part back: the Dashboard calls it partially won."""
    dispute = world.dispute(ada)
    world.control(f"disputes/{dispute}", status="lost", returned=returned)
    world.deliver()
    return dispute


def test_a_lost_dispute_of_which_stripe_gives_a_part_back_balances_and_the_ledger_has_the_part(world, ada):
    lost_in_part(world, ada)
    assert reckoned(world).differences == []
    moved = {fact.kind: fact.gross for fact in facts(books.Span())}
    assert (moved["dispute"], moved["dispute_reversed"]) == (-2000, 800)


def test_the_part_of_a_lost_dispute_is_counted_where_stripe_converted_it_too(world, ada):
    dispute = lost_in_part(world, ada)
    sync(world)
    found = world.stripe("GET", "balance_transactions", source=dispute, expand=["data.source"])["data"]
    for each in found:
        each.update(currency="eur", exchange_rate=0.9, amount=each["amount"] * 9 // 10, net=each["amount"])
        each["net"] = each["amount"] - each["fee"]
        recording.Recorder(recording.transaction_of, is_dry=False)([each])
    assert sorted(BalanceTransaction.objects.exclude(dispute="").values_list("face_amount", flat=True)) == [-2000, 800]
    assert differences() == []


# Differences


@pytest.mark.parametrize(("status", "reversed_"), [("won", 800), ("lost", 2000), ("lost", 2500), ("under_review", 800)])
def test_a_dispute_that_came_back_as_it_does_not_by_its_status_is_named(world, ada, status, reversed_):
    dispute = lost_in_part(world, ada)
    sync(world)
    BalanceTransaction.objects.filter(category="dispute_reversal").update(face_amount=reversed_)
    Dispute.objects.update(status=status)
    assert [dispute in each for each in differences()] == [True]


def test_each_kind_of_difference_is_named_with_its_invoice_and_amounts(world, ada):
    refund = world.refund(ada, 300)
    world.deliver()
    sync(world)
    paid = Invoice.objects.get()
    intent = InvoicePayment.objects.get().payment_intent

    def found(rows, **columns):
        before = list(rows.values("pk", *columns))
        rows.update(**columns)
        said = differences()
        for row in before:
            rows.model.objects.filter(pk=row["pk"]).update(**{name: row[name] for name in columns})
        return said

    theirs = f"{ada.customer}: "
    of_it = f"of {paid.pk}"
    assert found(Invoice.objects.all(), total=2100) == [
        f"{theirs}{paid.pk} is over $21.00, less $0.00 of the balance and $0.00 credited, yet asks $20.00"
    ]
    assert found(Invoice.objects.all(), amount_remaining=1) == [
        f"{theirs}{paid.pk} asks $20.00, yet $20.00 is paid and $0.01 remains"
    ]
    assert found(InvoicePayment.objects.all(), amount=2001) == [
        f"{theirs}{paid.pk} has $20.00 paid, yet its payments brought $20.01",
        f"{theirs}the payment {intent} {of_it} moved $20.01, and $20.00 by Stripe's balance",
    ]
    charges = BalanceTransaction.objects.filter(category="charge")
    assert found(charges, category="topup") == [
        f"{theirs}the payment {intent} {of_it} moved $20.00, and Stripe's balance has no transaction for it"
    ]
    assert found(Refund.objects.all(), status="failed") == [
        f"{theirs}the refund {refund} (failed) {of_it} moved $0.00, and -$3.00 by Stripe's balance"
    ]
    assert found(charges, net=1) == [f"{theirs}{charges.get().pk}: $20.00 less a fee of $0.88 is not $0.01"]
    Refund.objects.all().delete()
    assert differences() == [f"{theirs}the refund {refund} {of_it}, -$3.00 by Stripe's balance, has no row here"]


def test_a_customer_of_whom_an_event_waits_is_not_judged(world, ada):
    sync(world)
    Invoice.objects.update(total=1)
    assert len(differences()) == 1
    StripeEvent.objects.filter(lane=ada.customer, type="invoice.paid").update(status="failed")
    assert differences() == []


def test_what_is_later_than_the_last_list_is_not_compared_with_it(world, ada):
    sync(world)
    world.advance(days=32)
    world.deliver()
    assert (BalanceTransaction.objects.count(), differences()) == (1, [])
    assert reckoned(world).whole()["usd"].paid == 4000


def test_without_any_list_only_the_invoices_themselves_are_judged(ada):
    assert (books.books_at(), differences()) == (None, [])
    Invoice.objects.update(amount_due=1)
    assert len(differences()) == 2


def test_money_that_stripe_converted_is_compared_in_the_charges_own_currency(world, ada):
    sync(world)
    BalanceTransaction.objects.update(amount=1800, fee=50, net=1750, currency="eur", exchange_rate=0.9)
    assert differences() == []
    BalanceTransaction.objects.update(face_amount=1999)
    assert len(differences()) == 1


def test_a_dispute_whose_money_was_not_taken_is_named(world, ada):
    dispute = world.dispute(ada)
    world.deliver()
    sync(world)
    Dispute.objects.update(status="won")
    assert [dispute in each for each in differences()] == [True]


def test_money_of_an_account_that_was_left_is_not_looked_for_in_the_new_one(world, ada):
    sync(world)
    BalanceTransaction.objects.all().delete()
    assert len(differences()) == 1
    Customer.objects.update(livemode=True)
    assert differences() == []

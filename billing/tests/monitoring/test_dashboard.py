"""The dashboard's figures against a small world made by hand, and after a real story."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import (
    AddOn,
    CancelOffer,
    Customer,
    Dispute,
    Invoice,
    MrrMovement,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    Refund,
    StripeEvent,
    Subscription,
    SyncRun,
)
from billing.monitoring.dashboard import periods, sections
from billing.monitoring.dashboard.scope import Scope
from billing.subscriptions import mrr

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADDRESS = "/admin/billing/dashboard/"
DOCS = Path(__file__).parents[3] / "docs" / "dashboard.md"


@pytest.fixture(autouse=True)
def today(request):
    if "world" in request.fixturenames:
        yield
        return
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def root():
    return get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery")


@pytest.fixture
def staff(root):
    client = Client()
    client.force_login(root)
    return client


def shown(user, period="30d"):
    """Every figure's values and notes, by name."""
    scope = Scope(periods.named(period, date(2026, 11, 24)), user)
    return {f.term.name: [*f.values, *f.notes] for section in sections.all_sections(scope) for f in section.figures}


def table(user, name):
    scope = Scope(periods.named("30d", date(2026, 11, 24)), user)
    found = next(t for section in sections.all_sections(scope) for t in section.tables if t.term.name == name)
    return [[getattr(cell, "text", cell) for cell in row] for row in found.rows]


def ago(days):
    return NOW - timedelta(days=days)


def person(name, currency="usd", status="active", amount=2000, **more):
    plan, _ = Plan.objects.get_or_create(slug="pro", defaults={"name": "Pro", "rank": 1})
    price, _ = Price.objects.get_or_create(
        id=f"price_{currency}",
        defaults={"plan": plan, "currency": currency, "unit_amount": amount, "interval": "month"},
    )
    customer = Customer.objects.create(id=f"cus_{name}")
    row = Subscription(
        customer=customer, stripe_id=f"sub_{name}", status=status, plan=plan, price=price, currency=currency, **more
    )
    row.mrr = mrr.of_row(row)
    row.save()
    return customer


def paid(customer, invoice, amount, currency="usd", days=1):
    Payment.objects.create(
        customer=customer,
        invoice_id=invoice,
        amount=amount,
        currency=currency,
        invoiced_at=ago(days),
        paid_at=ago(days),
    )


def failed(customer, invoice, amount, code="", attempt=1, days=2, currency="usd"):
    PaymentFailure.objects.create(
        customer=customer, invoice_id=invoice, attempt=attempt, amount=amount, currency=currency, decline_code=code,
        subscription_id=customer.subscription.stripe_id, failed_at=ago(days),
    )  # fmt: skip


def moved(customer, kind, amount, days, currency="usd"):
    MrrMovement.objects.create(customer=customer, kind=kind, amount=amount, currency=currency, moved_at=ago(days))


@pytest.fixture
def small_world():
    ada, bob, eve = (
        person("ada"),
        person("bob", status="past_due", past_due_since=ago(2)),
        person("eve", status="canceled"),
    )
    paid(ada, "in_1", 2000)
    paid(ada, "in_2", 2000, days=40)
    paid(ada, "in_free", 0)
    paid(ada, "in_3", 2000, days=3)
    failed(ada, "in_3", 2000, "insufficient_funds", days=5)
    failed(bob, "in_4", 2000, "expired_card", days=4)
    failed(bob, "in_4", 1500, "expired_card", attempt=2, days=2)
    failed(eve, "in_5", 2000, "lost_card", days=20)
    moved(ada, "new", 1000, 60)
    moved(ada, "expansion", 1000, 10)
    moved(bob, "new", 2000, 50)
    moved(eve, "new", 2000, 45)
    moved(eve, "churn", -2000, 12)


def test_a_subscription_of_unknown_price_is_left_out_of_what_plans_cards_and_payments_bring_and_named(root):
    """Its row keeps the MRR from before, which is not what Stripe charges now."""
    person("ada", card_expires_on=NOW.date())
    soon = {"card_expires_on": NOW.date(), "whose": "unknown", "unmapped_price": "price_agreed"}
    for name, status in (("bob", "active"), ("eve", "past_due")):
        person(name, status=status, past_due_since=ago(1) if status == "past_due" else None, **soon)
    found = shown(root)
    by_plan = table(root, "Subscriptions by plan")
    assert by_plan == [["Pro", "2", "0", "1", "3", "$20.00, 2 of unknown price left out", "$20.00"]]
    assert found["On expiring cards"] == ["$20.00", "per month, 1 customers", "2 of unknown price left out"]
    assert found["MRR at risk"] == ["–", "per month", "1 of unknown price left out"]


def test_the_mrr_says_how_many_are_counted_as_before_because_no_plan_knows_their_price(root, small_world):
    assert shown(root)["MRR"][0] == "$40.00"
    Subscription.objects.filter(customer="cus_ada").update(whose="unknown", unmapped_price="price_agreed")
    assert "1 of unknown price counted as before" in shown(root)["MRR"]
    Subscription.objects.filter(customer="cus_eve").update(whose="unknown", unmapped_price="price_agreed")
    assert "1 of unknown price counted as before" in shown(root)["MRR"], "it has ended, and counts no more"


def test_payments_and_their_failures_are_counted(root, small_world):
    found = shown(root)
    assert found["Payment failure rate"] == ["66.7%", "4 of 6 attempts"]
    assert found["Collected"] == ["$40.00"]
    assert table(root, "Failures by decline code")[0] == ["expired card", "2", "50.0%"]


def test_failed_invoices_are_recovered_open_or_lost(root, small_world):
    found = shown(root)
    assert found["Recovery rate"] == ["50.0%", "1 recovered, 1 lost"]
    assert found["Recovered"] == ["$20.00", "1 invoice"]
    assert found["Lost"] == ["$20.00", "1 invoice"]
    assert found["Past due now"][0] == "1"
    assert found["Outstanding"] == ["$15.00"]
    assert found["MRR at risk"] == ["$20.00", "per month"]
    assert table(root, "Recovered and lost by currency") == [["USD", "$20.00", "$20.00", "$20.00"]]


def test_revenue_and_churn_are_those_of_the_ledger(root, small_world):
    found = shown(root)
    assert found["MRR"] == ["$40.00", "$50.00 at the beginning, down 20.0%"]
    assert found["Net change"][0] == "-$10.00"
    assert found["Paying customers"] == ["2", "3 at the beginning"]
    assert found["Churn"][:2] == ["$20.00", "1 customer"]
    assert found["Expansion"][:2] == ["$10.00", "1 change"]
    assert found["Customer churn"] == ["–", "fewer than 10 customers at the beginning"]
    assert found["Revenue churn"] == ["–", "fewer than 10 customers at the beginning"]
    assert found["Revenue per customer"] == ["$20.00", "a month"]
    assert table(root, "Subscriptions by plan") == [["Pro", "1", "0", "1", "2", "$40.00", "$40.00"]]
    Subscription.objects.filter(customer="cus_ada").update(mrr_off=500)
    assert table(root, "Subscriptions by plan") == [["Pro", "1", "0", "1", "2", "$40.00", "$35.00"]]


def test_cancellations_are_counted_by_their_reason_and_who_resumed_is_not(root, small_world):
    before = int(shown(root)["Cancellations"][0])
    rows = Subscription.objects
    rows.filter(customer="cus_ada").update(canceled_at=ago(2), cancel_at=ago(-9), cancel_feedback="too_expensive")
    assert shown(root)["Cancellations"] == [f"{before + 1}"]
    assert ["Too expensive", "1"] in [row[:2] for row in table(root, "Cancellations by reason")]
    rows.filter(customer="cus_ada").update(cancel_at=None)
    assert shown(root)["Cancellations"] == [f"{before}"]
    customer = rows.get(customer="cus_ada").customer
    offer = {"percent_off": 30, "months": 3, "taken_at": ago(1), "customer": customer}
    CancelOffer.objects.create(subscription_id="sub_1", made_at=ago(1), **offer)
    CancelOffer.objects.create(subscription_id="sub_2", **offer)
    assert shown(root)["Offers taken up"] == ["1"]


def test_refunds_and_disputes_are_those_that_moved_money(root, small_world):
    of = {"customer_id": "cus_ada", "currency": "usd", "amount": 500}
    Refund.objects.create(id="re_1", status="succeeded", created_at=ago(1), **of)
    Refund.objects.create(id="re_2", status="failed", created_at=ago(1), **of)
    statuses = ("won", "lost", "warning_closed", "appeal_needs_response", "prevented")
    for number, status in enumerate(statuses):
        Dispute.objects.create(id=f"dp_{number}", status=status, opened_at=ago(2), **of)
    found = shown(root)
    assert found["Refunded"] == ["$5.00", "1 refund, 0 in full"]
    assert found["Disputed"] == ["$20.00", "4 disputes"]
    assert found["Disputes won"] == ["50.0%", "1 won, 1 lost, 1 open"]
    assert found["Dispute rate"][1] == "4 of 2 payments"


def test_cards_that_expire_are_counted_in_money(root, small_world):
    Subscription.objects.filter(customer="cus_ada").update(card_expires_on=date(2026, 12, 31))
    Subscription.objects.filter(customer="cus_bob").update(card_expires_on=date(2027, 12, 31))
    assert shown(root)["On expiring cards"][0] == "$20.00"
    assert table(root, "Cards by month of expiry") == [["December 2026", "1", "$20.00"]]


def test_lag_drift_and_failed_events_are_told(root):
    for number in range(20):
        took = timedelta(seconds=0.4 if number < 18 else 40)
        event = {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_ada", "payload": {}}
        StripeEvent.objects.create(
            id=f"evt_{number}", status="processed", received_at=ago(1), processed_at=ago(1) + took, **event
        )
    StripeEvent.objects.create(id="evt_dead", status="dead", received_at=ago(1), **event)
    StripeEvent.objects.create(id="evt_handled", status="dead", handled_at=NOW, received_at=ago(40), **event)
    StripeEvent.objects.create(id="evt_old", status="processed", received_at=ago(31), processed_at=NOW, **event)
    SyncRun.objects.create(mode="full", status="done", started_at=ago(1), clock_at=ago(1), drifted=3, healed=2)
    found = shown(root)
    assert found["Lag"] == ["p50 0.5 s", "p95 50 s"]
    assert found["Events received"][0] == "21"
    assert found["Failed events"][0] == found["Dead events now"][0] == "1"
    assert found["Drift"] == ["3", "2 corrected"]


@pytest.fixture
def three_currencies(small_world):
    yuki, noor = person("yuki", "jpy"), person("noor", "kwd")
    paid(yuki, "in_j", 1000, "jpy")
    paid(noor, "in_k", 1500, "kwd")


def test_currencies_are_kept_apart_without_rates(root, three_currencies):
    assert [text.replace("\xa0", " ") for text in shown(root)["Collected"]] == ["¥1,000", "KWD 1.500", "$40.00"]


def test_currencies_are_added_up_by_the_projects_rates(root, three_currencies, settings):
    settings.BILLING_DASHBOARD_CURRENCY = "usd"
    settings.BILLING_DASHBOARD_RATES = {"jpy": "0.0067", "kwd": 3.25}
    assert shown(root)["Collected"][0] == "≈ $51.58"
    settings.BILLING_DASHBOARD_RATES = {"jpy": "0.0067"}
    assert shown(root)["Collected"][0] == "¥1,000"


def test_an_empty_database_has_a_page_too(staff):
    page = staff.get(ADDRESS).content.decode()
    assert "No data in this period." in page
    assert "Nobody is subscribed now." in page


def test_the_number_of_queries_is_the_same_however_much_there_is(staff, three_currencies):
    def queries(period):
        with CaptureQueriesContext(
            connection,
        ) as sent:
            assert staff.get(ADDRESS, {"period": period}).status_code == 200
        return len(sent)

    few = queries("30d")
    for number in range(8):
        paid(person(f"more{number}", "eur"), f"in_more{number}", 100, "eur", days=number)
    assert queries("30d") == queries("12m") == few


def test_it_needs_a_permission_of_its_own_and_links_only_to_what_one_may_see(small_world):
    bob = get_user_model().objects.create_user("bob@example.com", "correct-horse-battery", is_staff=True)
    client = Client()
    client.force_login(bob)
    assert client.get(ADDRESS).status_code == 403
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_dashboard", "view_payment"]))
    page = client.get(ADDRESS).content.decode()
    assert "/admin/billing/payment/?" in page
    assert "/admin/billing/paymentfailure/?" not in page
    assert ADDRESS in client.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"period": "2w"}, "There is no such period"),
        ({"from": "2026-11-05", "to": "2026-11-01"}, "Swap the two"),
        ({"from": "2026-02-30", "to": "2026-03-01"}, "The first day is missing or not a date"),
        ({"from": "2026-11-01"}, "The last day is missing or not a date"),
        ({"from": "2027-01-01", "to": "2027-01-02"}, "is in the future"),
        ({"from": "2010-01-01", "to": "2026-01-02"}, "longer than five years"),
    ],
)
def test_a_period_that_cannot_be_gets_a_sentence(staff, asked, sentence):
    answer = staff.get(ADDRESS, asked)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_days_are_those_of_the_sites_time_zone(root, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    period = periods.between("2026-11-01", "2026-11-02", date(2026, 11, 24))
    assert period.start == datetime(2026, 10, 31, 11, tzinfo=UTC)
    assert (len(period.buckets), period.step) == (2, "day")
    assert periods.named("12m", date(2026, 11, 24)).labels[0] == "Dec 2025"


def test_every_link_opens_its_rows(staff, three_currencies):
    page = staff.get(ADDRESS).content.decode()
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/[a-z]+/[a-z]+/\?[^"]+)"', page)}
    assert len(links) > 30
    for link in links:
        answer = staff.get(link)
        assert answer.status_code == 200, link
    lost = staff.get("/admin/billing/paymentfailure/?outcome=lost").context["cl"]
    assert [row.invoice_id for row in lost.result_list] == ["in_5"]


def test_nothing_on_the_page_is_styled_or_scripted_inline(staff, three_currencies):
    page = staff.get(ADDRESS).content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_each_figure_is_defined_in_the_docs_word_for_word(root):
    text = " ".join(DOCS.read_text().split())
    scope = Scope(periods.named("30d", date(2026, 11, 24)), root)
    terms = {term for section in sections.all_sections(scope) for term in section.terms}
    person("ada")
    moved(Customer.objects.get(), "new", 2000, 3)
    AddOn.objects.create(slug="extra", name="Extra")
    scope = Scope(periods.named("30d", date(2026, 11, 24)), root)
    terms |= {term for section in sections.all_sections(scope) for term in section.terms}
    assert [t.name for t in terms if f"- **{t.name}**: {t.meaning}" not in text] == []
    assert set(re.findall(r"- \*\*(.+?)\*\*:", text)) == {term.name for term in terms}


# The facts


@pytest.mark.parametrize(
    ("interval", "count", "quantity", "expected"),
    [("month", 1, 3, 6000), ("month", 3, 1, 667), ("year", 1, 1, 167), ("week", 1, 1, 8667), ("day", 1, 1, 60833)],
)
def test_a_price_is_brought_to_a_month(interval, count, quantity, expected):
    price = Price(currency="usd", unit_amount=2000, interval=interval, interval_count=count)
    assert mrr.monthly_amount(Subscription(status="active", price=price, quantity=quantity, currency="usd")) == expected
    assert mrr.monthly_amount(Subscription(status="trialing", price=price, currency="usd")) == 0


def test_a_story_is_told_in_movements_and_decline_codes(world, root):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    failures = PaymentFailure.objects.filter(customer=ada.customer)
    assert failures.filter(decline_code="generic_decline").exists()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    moves = list(MrrMovement.objects.order_by("pk").values_list("kind", flat=True))
    amounts = list(MrrMovement.objects.order_by("pk").values_list("amount", flat=True))
    assert moves == ["new", "churn"]
    assert amounts[0] > 0
    assert sum(amounts) == 0
    changes = ada.row.customer.subscription_changes.order_by("pk")
    assert (changes.first().mrr, changes.last().mrr) == (amounts[0], 0)
    client = Client()
    client.force_login(root)
    page = client.get(ADDRESS, {"period": "90d"}).content.decode()
    assert "generic decline" in page


def sent(customer, number, days_late, remaining=1000, **other):
    of = {"status": "open", "purpose": "plan", "collection_method": "send_invoice", "currency": "usd", **other}
    due, amounts = ago(days_late), {"total": 1000, "amount_due": 1000, "amount_remaining": remaining}
    Invoice.objects.create(id=f"in_s{number}", customer=customer, created_at=ago(40), due_at=due, **amounts, **of)


def test_receivables_are_told_by_age_and_each_leads_to_its_rows(root, staff):
    eve = Customer.objects.create(id="cus_eve")
    for number, days in enumerate([-20, 0.5, 30.5, 31.5, 60.5, 61, 90.5, 91, 400]):
        sent(eve, number, days)
    sent(eve, 10, 5, remaining=400, currency="jpy")
    sent(eve, 11, 5, status="paid", remaining=0)
    sent(eve, 12, 5, collection_method="charge_automatically")
    sent(eve, 13, 5, purpose="nothing")
    assert [text.replace("\xa0", " ") for text in shown(root)["Receivables"]] == ["¥400", "$90.00", "10 invoices"]
    assert shown(root)["Overdue"][-1] == "9 invoices"
    rows = {row[0]: row[1] for row in table(root, "Receivables by age")}
    assert rows == {"Not due yet": "1", "0–30 days": "3", "31–60 days": "2", "61–90 days": "2", "Over 90 days": "2"}
    (section,) = [
        one for one in sections.all_sections(Scope(periods.named("30d", NOW.date()), root)) if one.key == "receivables"
    ]
    leads = [(figure.url, int(figure.notes[-1].split()[0])) for figure in section.figures]
    leads += [(cells[0].url, int(cells[1])) for cells in section.tables[0].rows]
    for url, number in leads:
        page = staff.get(url)
        assert (page.status_code, len(page.context["cl"].result_list)) == (200, number), url

"""The dashboard's first figures: what moved the MRR, monthly rates, what a customer is worth, and who stayed."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client

from billing.models import Customer, MrrMovement, Payment, PaymentFailure, Plan, Subscription, Trial
from billing.monitoring.dashboard import Scope, growth, periods, sections
from billing.tests.admin.test_staff_actions import member

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADDRESS = "/admin/billing/dashboard/"


@pytest.fixture(autouse=True)
def today():
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


def moved(number, kind, amount, days, currency="usd"):
    customer, _ = Customer.objects.get_or_create(id=f"cus_{number:03}")
    at = NOW - timedelta(days=days)
    MrrMovement.objects.create(customer=customer, kind=kind, amount=amount, currency=currency, moved_at=at)


@pytest.fixture
def twenty():
    """Twenty customers of $10 each before the month; in it one comes, two grow, one shrinks and two leave."""
    for number in range(20):
        moved(number, "new", 1000, 100)
    moved(20, "new", 3000, 5)
    moved(0, "expansion", 500, 6)
    moved(1, "expansion", 500, 6)
    moved(2, "contraction", -400, 7)
    moved(3, "churn", -1000, 8)
    moved(4, "churn", -1000, 8)
    moved(19, "expansion", 100, 40)


def shown(user, period="30d"):
    scope = Scope(periods.named(period, date(2026, 11, 24)), user)
    found = sections.section_named(scope, "growth")
    return {figure.term.name: [*figure.values, *figure.notes] for figure in found.figures}


def table(user, key, name):
    scope = Scope(periods.named("30d", date(2026, 11, 24)), user)
    found = next(one for one in sections.section_named(scope, key).tables if one.term.name == name)
    return [[getattr(cell, "text", cell) for cell in row] for row in found.rows]


def test_the_dashboard_begins_with_the_mrr(root):
    first = sections.all_sections(Scope(periods.named("30d", date(2026, 11, 24)), root))[0]
    assert (first.key, first.figures[0].term.name) == ("growth", "MRR")


def test_what_moved_the_mrr_is_told_beside_the_period_before(root, twenty):
    found = shown(root)
    assert found["MRR"] == ["$217.00", "$201.00 at the beginning, up 8.0%"]
    assert found["Net change"] == ["$16.00", "$1.00 in the period before"]
    assert found["New"] == ["$30.00", "1 customer"]
    assert found["Expansion"] == ["$10.00", "2 changes", "$1.00 in the period before"]
    assert found["Contraction"] == ["$4.00", "1 change"]
    assert found["Churn"] == ["$20.00", "2 customers"]
    assert found["Paying customers"] == ["19", "20 at the beginning"]


def test_rates_are_monthly_averages(root, twenty):
    months = 30 / (365.25 / 12)
    churn = 1 - 0.9 ** (1 / months)
    assert shown(root)["Customer churn"] == [f"{churn:.1%}", "a month"]
    assert shown(root)["Revenue churn"] == [f"{1 - (1 - 24 / 201) ** (1 / months):.1%}", "a month"]
    assert growth.a_month(0.5, 12) == pytest.approx(0.0561, abs=1e-4)
    assert growth.a_month(1.2, 1) == 1.0, "more was lost than there was: what began in the period left in it"
    assert shown(root)["Lifetime value"] == [f"${21700 / 19 / churn / 100:,.2f}"]


def test_what_a_customer_brings_and_how_fast_it_grows(root, twenty):
    found = shown(root)
    assert found["Revenue per customer"] == ["$11.42", "a month"]
    assert found["Quick ratio"] == [f"{40 / 24:.1f}"]


def test_with_few_customers_or_none_nothing_is_a_rate(root):
    assert shown(root)["Customer churn"] == ["–", "fewer than 10 customers at the beginning"]
    for number in range(9):
        moved(number, "new", 1000, 100)
    moved(0, "churn", -1000, 3)
    found = shown(root)
    assert [found[name][0] for name in ("Customer churn", "Revenue churn", "Lifetime value")] == ["–"] * 3
    moved(9, "new", 1000, 100)
    assert shown(root)["Customer churn"][0] != "–"


def test_several_currencies_are_split_without_rates_and_added_up_with_them(root, twenty, settings):
    moved(50, "new", 2000, 50, "eur")
    found = shown(root)
    assert found["MRR"][:2] == ["€20.00", "$217.00"]
    assert [found[name][0] for name in ("Revenue per customer", "Quick ratio", "Revenue churn")] == ["–", "1.7", "–"]
    settings.BILLING_DASHBOARD_CURRENCY, settings.BILLING_DASHBOARD_RATES = "usd", {"eur": "1.10"}
    found = shown(root)
    assert found["MRR"][:3] == ["≈ $239.00", "€20.00", "$217.00"]
    assert found["Revenue per customer"][0] == "$11.95"
    assert found["Revenue churn"][1] == "a month"


def test_trials_that_ended_are_counted_by_what_came_of_them(root):
    assert shown(root)["Trial conversion"] == ["–", "no trial ended"]
    for number, days in enumerate((3, 4, 5, 90, -5)):
        customer = Customer.objects.create(id=f"cus_{number}")
        end = NOW - timedelta(days=days)
        Trial.objects.create(subscription_id=f"sub_{number}", customer=customer, started_at=end, ends_at=end)
        if number in (0, 3):
            Payment.objects.create(
                invoice_id=f"in_{number}", customer=customer, subscription_id=f"sub_{number}", amount=1000,
                currency="usd", invoiced_at=end, paid_at=end,
            )  # fmt: skip
    assert shown(root)["Trial conversion"] == ["33.3%", "1 of 3 trials"]


def test_who_stayed_is_told_by_the_month_in_which_they_began(root):
    for number in range(4):
        moved(number, "new", 1000, 75)  # September
    moved(0, "churn", -1000, 50)  # October
    moved(1, "churn", -1000, 40)
    moved(1, "reactivation", 1000, 20)  # November
    moved(9, "new", 1000, 10)
    rows = table(root, "cohorts", "Customers who stayed")
    assert rows[0][:6] == ["Sep 2026", "4", "100%", "50%", "75%", ""]
    assert rows[1][:4] == ["Nov 2026", "1", "100%", ""]
    assert len(rows) == 2


def test_failures_are_told_by_their_cause_and_what_came_of_it(root):
    plan = Plan.objects.create(slug="pro", name="Pro", rank=1)
    for number, (code, paid, status) in enumerate(
        [("expired_card", True, "active"), ("expired_card", False, "canceled"), ("do_not_honor", False, "past_due")]
    ):
        customer = Customer.objects.create(id=f"cus_{number}")
        Subscription.objects.create(customer=customer, stripe_id=f"sub_{number}", status=status, plan=plan)
        of = {"customer": customer, "invoice_id": f"in_{number}", "subscription_id": f"sub_{number}"}
        of |= {"amount": 1000, "currency": "usd"}
        PaymentFailure.objects.create(attempt=1, decline_code=code, failed_at=NOW - timedelta(days=3), **of)
        if paid:
            Payment.objects.create(invoiced_at=NOW, paid_at=NOW, **of)
    assert table(root, "recovery", "Recovery by cause") == [
        ["expired card", "1", "0", "1", "50.0%"],
        ["do not honor", "0", "1", "0", "–"],
    ]


def test_each_section_is_had_as_csv_and_json(root, staff, twenty):
    for section in sections.all_sections(Scope(periods.named("30d", date(2026, 11, 24)), root)):
        for kind in ("csv", "json"):
            answer = staff.get(f"{ADDRESS}{section.key}.{kind}", {"period": "90d"})
            assert answer.status_code == 200, (section.key, kind)
            assert f'filename="{section.key}-2026-08-27-2026-11-24.{kind}"' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(staff.get(f"{ADDRESS}growth.csv").content.decode())))
    assert rows[0] == ["MRR", "$217.00", "$201.00 at the beginning, up 8.0%"]
    told = json.loads(staff.get(f"{ADDRESS}revenue.json").content)
    assert told["charts"][0]["series"][0]["values"][-1] == 217.0
    assert (told["from"], told["to"]) == ("2026-10-26", "2026-11-24")


@pytest.mark.parametrize(
    ("path", "status"),
    [("nothing.csv", 404), ("growth.xml", 404), ("growth.csv?period=x", 400), ("growth.json?from=2026-02-31", 400)],
)
def test_a_file_that_cannot_be_is_refused(staff, path, status):
    assert staff.get(f"{ADDRESS}{path}").status_code == status


def test_files_need_the_permission():
    assert member("eve@example.com").get(f"{ADDRESS}growth.csv").status_code == 403
    assert Client().get(f"{ADDRESS}growth.csv").status_code == 302


def test_an_empty_database_says_nothing_of_nothing(root, staff):
    page = staff.get(ADDRESS).content.decode()
    assert "0 of 0" not in page

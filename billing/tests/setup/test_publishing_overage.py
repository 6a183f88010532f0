"""What use beyond a limit costs is checked, and published once: a meter for a feature, a price for each cadence."""

import pytest
from django.core.checks import run_checks

from billing.models import OveragePrice, PlanLimit
from billing.setup import account, publishing_overage
from billing.setup.doctor import metering
from billing.tests.usage.metered_plans import PLANS, metered_plans, shop, use  # noqa: F401

pytestmark = pytest.mark.django_db


def ids():
    return {message.id for message in run_checks()}


def test_meters_and_prices_are_made_once(shop):  # noqa: F811
    assert publishing_overage.missing() == []
    before = set(OveragePrice.objects.values_list("pk", flat=True))
    publishing_overage.publish()
    assert set(OveragePrice.objects.values_list("pk", flat=True)) == before
    assert sorted(row["event_name"] for row in shop.api("GET", "billing/meters")["data"]) == [
        "billing_exports", "billing_generations",
    ]  # fmt: skip
    assert PlanLimit.objects.get(plan__slug="team", feature="generations").overage == {"usd": "1"}
    prices = shop.api("GET", "prices", lookup_keys=["overage:pro:generations:month"])["data"]
    assert prices[0]["unit_amount_decimal"] == "2.5"


def test_another_amount_replaces_the_price_for_new_subscribers_alone(shop, settings):  # noqa: F811
    ada = shop.subscribed("pro")
    dearer = {"overage": {"generations": {"usd": 4, "eur": 4}}}
    settings.BILLING_PLANS = [plan | dearer if plan["slug"] == "pro" else plan for plan in PLANS]
    assert len(publishing_overage.missing()) == 3
    assert any("overage:pro:generations:month" in change.text for change in account.changes())
    publishing_overage.publish()
    rows = OveragePrice.objects.filter(plan__slug="pro", feature="generations", interval="month").order_by("is_current")
    assert [(row.amounts["usd"], row.is_current) for row in rows] == [("2.5", False), ("4", True)]
    assert not OveragePrice.objects.filter(feature="exports", is_current=True).exists()
    use(ada, 140)
    assert shop.api("GET", f"prices/{rows[0].pk}")["active"] is False


def test_a_meter_that_adds_up_otherwise_is_refused_with_what_to_do(shop):  # noqa: F811
    for row in shop.api("GET", "billing/meters")["data"]:
        shop.api("POST", f"billing/meters/{row['id']}/deactivate")
    shop.api("POST", "billing/meters", display_name="x", event_name="billing_exports",
             default_aggregation={"formula": "count"})  # fmt: skip
    with pytest.raises(publishing_overage.UnusableMeter, match="Deactivate it"):
        publishing_overage.publish()


@pytest.mark.parametrize(
    "changed",
    [
        {"overage": {"images": {"usd": 1}}},
        {"overage": {"generations": {"eur": 1}}},
        {"limits": {"generations": None}, "overage": {"generations": {"usd": 1}}},
        {"prices": {}, "overage": {"generations": {"usd": 1}}},
    ],
)
def test_a_price_that_nothing_could_bill_is_refused_at_start_up(settings, changed):
    plan = {"slug": "pro", "name": "Pro", "limits": {"generations": 5}, "prices": {"month": {"usd": 2000}}}
    settings.BILLING_PLANS = [{"slug": "free", "name": "Free"}, {**plan, "overage": {"generations": {"usd": "2.5"}}}]
    assert "billing.E210" not in ids()
    settings.BILLING_PLANS = [{"slug": "free", "name": "Free"}, {**plan, **changed}]
    assert "billing.E210" in ids()


@pytest.mark.parametrize("amount", [0, -1, 2.5, "much", "", True, None, "1e99", "0.0000000000001"])
def test_what_is_no_amount_is_refused_at_start_up(settings, amount):
    plan = {"slug": "pro", "name": "Pro", "limits": {"generations": 5}, "prices": {"month": {"usd": 2000}}}
    settings.BILLING_PLANS = [{"slug": "free", "name": "Free"}, {**plan, "overage": {"generations": {"usd": amount}}}]
    assert "billing.E012" in ids()


@pytest.mark.parametrize("cap", [{"usd": -1}, {"USD": 5}, {"usd": 5.5}, [5], {"dollars": 5}])
def test_a_wrong_cap_is_refused_at_start_up(settings, cap):
    settings.BILLING_SPEND_CAP = {"usd": 0, "eur": 5}
    assert "billing.E211" not in ids()
    settings.BILLING_SPEND_CAP = cap
    settings.BILLING_SPEND_CAP_POLICY = "shout"
    assert {"billing.E211", "billing.E212"} <= ids()


def test_the_doctor_names_what_stripe_has_not_counted(shop):  # noqa: F811
    from billing import usage
    from billing.models import UsageReport

    assert [finding.level for finding in metering.usage_reports()] == ["ok"]
    use(shop.subscribed("pro"), 140)
    usage.reporting.cut_all()
    UsageReport.objects.update(state="refused", error_message="No such meter.")
    found = list(metering.usage_reports())
    assert [finding.level for finding in found] == ["warning"]
    assert "40 generations" in found[0].text
    assert "No such meter." in found[0].text

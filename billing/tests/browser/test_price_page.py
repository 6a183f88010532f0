"""The price page in a browser, without a script: intervals with their savings, currencies, tiers and seats."""

import pytest
from playwright.sync_api import expect

from billing.models import Plan, Price

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = {"1280": (1280, False), "390": (390, False), "1280-dark": (1280, True), "390-dark": (390, True)}


def sold(plan, interval, count, **columns):
    key = f"{plan.slug}_{count}_{interval}"
    Price.objects.create(
        pk=f"price_{key}", lookup_key=key, plan=plan, interval=interval, interval_count=count,
        **{"currency": "usd", **columns},
    )  # fmt: skip


@pytest.fixture
def catalogue(world, settings):
    """Pro by two weeks to two years, Team in graduated tiers with at least three seats."""
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    pro, team = Plan.objects.get(slug="pro"), Plan.objects.get(slug="team")
    Plan.objects.filter(pk=team.pk).update(min_seats=3)
    sold(pro, "week", 2, unit_amount=1100)
    sold(pro, "month", 3, unit_amount=5400)
    sold(pro, "year", 2, unit_amount=36000)
    steps = [{"up_to": 5, "unit": "6000", "flat": "0"}, {"up_to": 20, "unit": "5000", "flat": "0"},
             {"up_to": None, "unit": "4000", "flat": "9900"}]  # fmt: skip
    tiers = {"tiers_mode": "graduated", "tiers": {"usd": steps}}
    Price.objects.filter(lookup_key="team_month").update(unit_amount=None, currency_options={}, terms=tiers)


@pytest.mark.parametrize("look", LOOKS)
def test_a_visitor_chooses_interval_and_currency_and_sees_tiers(catalogue, live_server, browse, shoot, look):
    width, dark = LOOKS[look]
    page = browse(live_server.url + "/", dark=dark, javascript=False)
    page.set_viewport_size({"width": width, "height": 900})
    switch = page.get_by_role("navigation", name="Billing interval")
    expect(switch.get_by_role("link")).to_have_count(5)
    expect(switch).to_contain_text("Every 2 weeks")
    expect(switch.get_by_role("link", name="Every 2 years")).to_contain_text("Save")
    expect(page.get_by_role("row", name="6–20 $50.00 each")).to_be_visible()
    expect(page.get_by_text("At least 3 seats")).to_be_visible()
    expect(page.get_by_text("from $180")).to_be_visible()
    shoot(page, f"prices-tiers-{look}")
    assert accessibility.problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    switch.get_by_role("link", name="Every 3 months").click()
    expect(page.get_by_text("$54", exact=True)).to_be_visible()
    expect(page.get_by_text("$18.00 per month, billed every 3 months")).to_be_visible()
    shoot(page, f"prices-every-3-months-{look}")
    page.get_by_role("navigation", name="Currency").get_by_role("link", name="EUR").click()
    page.get_by_role("navigation", name="Billing interval").get_by_role("link", name="Yearly").click()
    expect(page.get_by_text("€190", exact=True)).to_be_visible()
    assert accessibility.problems(page) == []

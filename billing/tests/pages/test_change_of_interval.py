"""A preview between months and years tells its cost, the next charge, and a credit until it is used up."""

import pytest

from billing import clock
from billing.lifecycle import previews
from billing.models import Plan
from billing.pages.days import day
from billing.subscriptions import next_charges
from billing.tests.pages.test_managing import confirm, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bystander(world):
    """Ben pays by the month and has no credit; nothing here changes that."""
    Plan.objects.update(trial_days=0)
    ben = world.subscribed(email="ben@example.com")
    before = ben.row.plan_id, ben.row.price_id
    yield ben
    ben.row.refresh_from_db()
    assert (ben.row.plan_id, ben.row.price_id) == before


def signed_in(world, client, **sold):
    ada = world.subscribed(**sold)
    client.force_login(ada.user)
    return ada


def account(client):
    next_charges.each_minute()
    return text(client.get("/billing/"))


def test_from_year_to_month_nothing_is_due_and_the_next_charge_is_at_the_end_of_the_year(world, client):
    ada = signed_in(world, client, interval="year")
    shown = previews.preview(ada.user, "pro", "month")
    end = ada.row.current_period_end
    assert (shown.effect, shown.amount_due, shown.credit, shown.lines) == ("period_end", 0, 0, [])
    assert (shown.renews_at, shown.takes_effect_at, shown.renewal_amount) == (end, end, 2000)
    page = client.get("/billing/change?plan=pro&interval=month")
    said = text(page)
    assert f"You keep what you have paid for until {day(end)}. Nothing is charged today." in said
    assert f"Due now Nothing Starts {day(end)} New price $20.00 per month Next charge {day(end)}" in said
    assert f"The price of Pro changes on {day(end)}" in text(confirm(client, page))


def test_from_month_to_year_the_difference_is_due_and_the_next_charge_is_when_the_preview_says(world, client):
    ada = signed_in(world, client)
    world.advance(days=10)
    month = ada.row.current_period_end
    shown = previews.preview(ada.user, "pro", "year")
    assert shown.effect == "now"
    assert 18_200 > shown.amount_due == sum(line.amount for line in shown.lines) > 18_000
    page = client.get("/billing/change?plan=pro&interval=year")
    assert f"Next charge {day(shown.renews_at)}" in text(page)
    assert "Starts As soon as you pay" in text(page)
    confirm(client, page)
    world.deliver()
    assert ada.row.current_period_end == shown.renews_at > month


def test_from_a_year_to_a_month_of_a_higher_plan_nothing_is_paid_now_and_the_rest_is_credit(world, client):
    signed_in(world, client, interval="year")
    page = client.get("/billing/change?plan=team&interval=month")
    said = text(page)
    assert "Nothing is charged today: what you have paid covers it, and $140.00 is left as credit" in said
    assert "Due now Nothing" in said
    assert "Credit on later invoices $140.00 Starts Now" in said
    assert "Next invoice, paid from your credit first" in said
    confirm(client, page)
    world.deliver()
    assert "$140.00, taken off your next invoices" in account(client)


def test_a_credit_is_shown_until_it_is_used_up(world, client):
    """$140.00 pay two renewals of $60.00, and $20.00 of the third."""
    ada = signed_in(world, client, interval="year")
    confirm(client, client.get("/billing/change?plan=team&interval=month"))
    world.deliver()
    seen = []
    for _ in range(3):
        said = account(client)
        seen.append([amount for amount in ("$140.00", "$80.00", "$20.00") if f"{amount}, taken off" in said])
        world.advance(days=(ada.row.current_period_end - clock.now()).days, hours=26)
        world.deliver()
    assert seen == [["$140.00"], ["$80.00"], ["$20.00"]]
    assert "taken off your next invoices" not in account(client)


def test_a_change_that_a_credit_pays_says_so_and_asks_for_the_rest(world, client):
    signed_in(world, client, interval="year")
    confirm(client, client.get("/billing/change?plan=team&interval=month"))
    world.deliver()
    page = client.get("/billing/change?plan=team&interval=year")
    assert "Paid from your credit $140.00 Due now $400.00" in text(page)
    confirm(client, page)
    world.deliver()
    assert "taken off your next invoices" not in account(client)


def test_a_change_that_a_credit_covers_charges_nothing(world, client):
    ada = signed_in(world, client)
    world.stripe("POST", f"customers/{ada.customer}/balance_transactions", amount=-10_000, currency="usd")
    world.deliver()
    said = text(client.get("/billing/change?plan=team&interval=month"))
    assert "Nothing is charged today: your credit covers it. The new plan starts now." in said
    assert "Paid from your credit $40.00 Due now Nothing" in said

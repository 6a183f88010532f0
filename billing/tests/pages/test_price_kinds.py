"""The price page, the checkout, the account and the API show each kind of price as what it is."""

import re

import pytest

from billing.cadence import Cadence
from billing.catalogue import price_for_sale
from billing.models import Plan, Subscription

pytestmark = pytest.mark.django_db
QUARTER = "/?interval=month&interval_count=3"


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def sell(world):
    """Sell Pro by another price, and return its row."""

    def new(key="pro_3_month", interval="month", count=3, **params):
        product = world.stripe("GET", "prices", lookup_keys=["pro_month"])["data"][0]["product"]
        recurring = {"interval": interval, "interval_count": count}
        given = {"product": product, "currency": "usd", "lookup_key": key, "transfer_lookup_key": True}
        world.stripe("POST", "prices", **{**given, "recurring": recurring, **params})
        world.deliver()
        return price_for_sale(Plan.objects.get(slug="pro"), Cadence(interval, count))

    return new


@pytest.fixture
def ada(world, client):
    user = world.sign_up()
    client.force_login(user)
    return user


def test_a_quarter_is_shown_sold_and_mailed_as_what_it_is(world, client, ada, sell):
    price = sell(unit_amount=5400)
    page = text(client.get(QUARTER))
    assert "$54 / 3 months" in page
    assert "$18.00 per month, billed every 3 months" in page
    assert "Every 3 months" in text(client.get("/"))
    asked = {"plan": "pro", "interval": "month", "interval_count": "3", "currency": "usd"}
    page = text(client.get("/billing/checkout", asked))
    assert "$54 every 3 months" in page
    assert "Every 3 months, until you cancel" in page
    made = world.subscribed("pro", "3 month", user=ada)
    assert made.row.price == price
    assert "$54.00 every 3 months" in text(client.get("/billing/"))


def test_the_api_sells_previews_and_changes_by_a_count(world, client, ada, sell):
    sell(unit_amount=5400)
    asked = {"plan": "pro", "interval": "month", "interval_count": 3}
    url = "/api/v1/subscriptions"
    assert client.post(f"{url}/checkout", asked, content_type="application/json").status_code == 201
    world.subscribed(user=ada)
    preview = client.post(f"{url}/preview", asked, content_type="application/json").json()
    assert (preview["interval"], preview["interval_count"], preview["effect"]) == ("month", 3, "now")
    assert preview["renewal_amount"]["amount"] == 5400
    assert client.post(f"{url}/change", asked, content_type="application/json").status_code == 200
    assert Subscription.objects.get().price.cadence == Cadence("month", 3)
    back = client.post(f"{url}/change", {**asked, "interval_count": 1}, content_type="application/json").json()
    assert (back["pending_change"]["kind"], back["pending_change"]["interval_count"]) == ("scheduled", 1)


@pytest.mark.parametrize("count", [0, -1, "many", 2000, 2])
def test_a_count_that_is_not_sold_is_refused(world, client, ada, count):
    asked = {"plan": "pro", "interval": "month", "interval_count": count}
    answer = client.post("/api/v1/subscriptions/checkout", asked, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == ("price_not_offered" if count == 2 else "invalid_request")


def test_the_plans_tell_count_tax_and_tiers(world, client, sell):
    sell(unit_amount=5400, tax_behavior="exclusive", currency_options={"eur": {"unit_amount": 5000}})
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800}]
    sell("pro_year", "year", 1, billing_scheme="tiered", tiers_mode="volume", tiers=tiers)
    plan = next(row for row in client.get("/api/v1/plans").json() if row["slug"] == "pro")
    assert list(plan["prices"]) == ["month", "3 month", "year"]
    quarter = plan["prices"]["3 month"]["usd"]
    shown = ("interval", "interval_count", "currency", "amount", "formatted", "tax_behavior", "is_free")
    assert [quarter[name] for name in shown] == ["month", 3, "usd", 5400, "$54.00", "exclusive", False]
    year = plan["prices"]["year"]["usd"]
    assert (year["amount"], year["formatted"], year["model"]) == (None, "from $10.00", "volume")
    assert [(tier["up_to"], tier["unit_amount_decimal"]) for tier in year["tiers"]] == [(5, "1000"), (None, "800")]


def test_tiers_are_a_table_and_never_nothing(world, client, sell):
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800}]
    sell(billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    page = text(client.get(QUARTER))
    assert "from $10" in page
    assert "1–5 $10.00 each" in page
    assert "6 and more $8.00 each" in page


@pytest.mark.parametrize(("mode", "seven"), [("volume", 7 * 800), ("graduated", 5 * 1000 + 2 * 800)])
def test_a_preview_reckons_tiers_for_as_many_seats_as_stripe_then_bills(world, client, ada, sell, mode, seven):
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800}]
    sell(billing_scheme="tiered", tiers_mode=mode, tiers=tiers)
    made = world.subscribed(user=ada)
    item = world.stripe("GET", f"subscriptions/{made.subscription}")["items"]["data"][0]["id"]
    world.stripe("POST", f"subscriptions/{made.subscription}", items=[{"id": item, "quantity": 7}])
    world.deliver()
    asked = {"plan": "pro", "interval": "month", "interval_count": 3}
    preview = client.post("/api/v1/subscriptions/preview", asked, content_type="application/json").json()
    assert preview["renewal_amount"]["amount"] == seven
    assert f"${seven / 100:.2f}" in text(client.get("/billing/change", asked))
    client.post("/api/v1/subscriptions/change", asked, content_type="application/json")
    upcoming = world.stripe("POST", "invoices/create_preview", subscription=made.subscription)
    assert upcoming["total"] == seven


def test_a_package_says_how_many_units_it_buys(world, client, sell):
    sell(unit_amount=1000, transform_quantity={"divide_by": 5, "round": "up"})
    assert "$10 / 5 units / 3 months" in text(client.get(QUARTER))


def test_a_plan_that_is_not_sold_in_the_visitors_currency_says_in_which_it_is(world, client, sell):
    sell(unit_amount=5400)
    page = text(client.get(f"{QUARTER}&currency=eur"))
    assert "Not sold in EUR, but in USD" in page
    assert "Not sold every 3 months" in page, "Team has no such price"


def test_a_price_of_nothing_asks_for_no_card(world, client, ada, sell):
    sell(unit_amount=0)
    page = text(client.get(QUARTER))
    assert "$0 / 3 months No card needed" in page
    asked = {"plan": "pro", "interval": "month", "interval_count": "3", "currency": "usd"}
    assert "Continue to payment" not in text(client.get("/billing/checkout", asked))
    session = client.post("/billing/checkout", asked)["Location"].rsplit("/", 1)[1].split("#")[0]
    assert world.stripe("GET", f"checkout/sessions/{session}")["payment_method_collection"] == "if_required"
    world.control(f"checkout/{session}/complete")
    world.deliver()
    row = Subscription.objects.get()
    assert (row.status, row.price.cadence, row.default_payment_method) == ("active", Cadence("month", 3), "")
    account = text(client.get("/billing/"))
    assert ("Free" in account, "Next payment" in account) == (True, False)
    plan = next(row for row in client.get("/api/v1/plans").json() if row["slug"] == "pro")
    assert plan["prices"]["3 month"]["usd"]["is_free"] is True


def test_who_pays_nothing_moves_on_to_a_plan_that_costs_by_entering_a_card(world, client, ada, sell):
    sell(unit_amount=0)
    asked = {"plan": "pro", "interval": "month", "interval_count": 3}
    answer = client.post("/api/v1/subscriptions/checkout", asked, content_type="application/json").json()
    world.control(f"checkout/{answer['session_id']}/complete")
    world.deliver()
    team = {"plan": "team", "interval": "month"}
    change = client.post("/api/v1/subscriptions/change", team, content_type="application/json")
    assert change.status_code == 200, change.json()
    assert change.json()["pending_change"]["confirm_url"]
    row = Subscription.objects.get()
    invoice = world.stripe("GET", "invoices", subscription=row.stripe_id, status="open")["data"][0]["id"]
    world.control(f"invoices/{invoice}/pay", payment_method="pm_card_visa")
    world.deliver()
    assert client.get("/api/v1/subscriptions/current").json()["plan"] == "team"

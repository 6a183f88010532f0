"""Add-ons by API: what is sold with a plan, bought with it, changed later, and what each answer says."""

import pytest
from rest_framework.test import APIClient

from billing.models import AddOn
from billing.setup import publishing_add_ons

pytestmark = pytest.mark.django_db
PREVIEW, ONE = "/api/v1/subscriptions/add-ons/preview", "/api/v1/subscriptions/add-ons/extra"


@pytest.fixture
def shop(world):
    publishing_add_ons.publish()
    return world


@pytest.fixture
def ada(shop):
    return shop.subscribed()


@pytest.fixture
def client(ada):
    client = APIClient()
    client.force_authenticate(ada.user)
    return client


def test_plans_name_what_is_sold_with_them(shop):
    free, pro, _team = APIClient().get("/api/v1/plans").json()
    assert free["add_ons"] == []
    (extra,) = pro["add_ons"]
    assert (extra["slug"], extra["limits"], extra["most"]) == ("extra", {"generations": 500}, None)
    assert extra["prices"]["month"]["usd"] == {"amount": 800, "formatted": "$8.00"}
    assert extra["prices"]["year"]["eur"]["amount"] == 7500


def test_more_is_previewed_bought_and_shown_and_less_is_pending(shop, ada, client):
    shown = client.post(PREVIEW, {"slug": "extra", "quantity": 2}, format="json").json()
    assert (shown["effect"], shown["previous_quantity"], shown["renewal_amount"]["amount"]) == ("now", 0, 1600)
    state = client.put(ONE, {"quantity": 2, "proration_date": shown["proration_date"]}, format="json").json()
    (held,) = state["add_ons"]
    assert (held["quantity"], held["amount"], held["quantity_then"]) == (2, 1600, None)
    assert (state["usage"]["generations"]["limit"], state["pending_change"]) == (2000, None)
    state = client.put(ONE, {"quantity": 0}, format="json").json()
    assert (state["add_ons"][0]["quantity_then"], state["pending_change"]["add_ons"]) == (0, {})
    assert state["pending_change"]["kind"] == "scheduled"
    again = client.get("/api/v1/subscriptions/current").json()
    assert (again["add_ons"], again["usage"]["generations"]["limit"]) == (state["add_ons"], 2000)


def test_a_preview_of_a_plan_says_what_becomes_of_the_add_on(shop, ada, client):
    client.put(ONE, {"quantity": 1}, format="json")
    AddOn.objects.update(plans=["pro"])
    shown = client.post("/api/v1/subscriptions/preview", {"plan": "team", "interval": "month"}, format="json").json()
    assert shown["add_ons"] == [
        {"slug": "extra", "name": "500 more generations", "quantity": 1, "is_kept": False, "cost": None}
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("put", ONE, {"quantity": -1}, 400, "invalid_request"),
        ("put", ONE, {}, 400, "invalid_request"),
        ("put", ONE, {"quantity": 20_000}, 400, "add_on_not_offered"),
        ("put", ONE, {"quantity": 1, "proration_date": 5}, 409, "stale_preview"),
        ("put", "/api/v1/subscriptions/add-ons/none", {"quantity": 1}, 400, "add_on_not_offered"),
        ("post", PREVIEW, {"slug": "none", "quantity": 1}, 400, "add_on_not_offered"),
        ("post", PREVIEW, {"slug": "extra", "quantity": 1, "line": "none"}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(ada, client, method, path, body, status, code):
    answer = getattr(client, method)(path, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ada.row.add_ons == {}


def test_a_stranger_reaches_only_their_own(shop, ada):
    eve = APIClient()
    eve.force_authenticate(shop.sign_up("eve@example.com"))
    assert eve.put(ONE, {"quantity": 1}, format="json").json()["code"] == "no_subscription"
    assert APIClient().put(ONE, {"quantity": 1}, format="json").status_code == 401
    assert ada.row.add_ons == {}


def test_checkout_takes_add_ons_and_refuses_what_is_not_sold(shop):
    user, client = shop.sign_up("eve@example.com"), APIClient()
    client.force_authenticate(user)
    asked = {"plan": "pro", "interval": "month"}
    path = "/api/v1/subscriptions/checkout"
    many = [{"slug": "extra", "quantity": 10_001}]
    assert client.post(path, {**asked, "add_ons": many}, format="json").json()["code"] == "add_on_not_offered"
    for wrong in ([{"slug": "extra", "quantity": 0}], [{"slug": "extra"}, {"slug": "extra"}]):
        assert client.post(path, {**asked, "add_ons": wrong}, format="json").json()["code"] == "invalid_request"
    answer = client.post(path, {**asked, "add_ons": [{"slug": "extra", "quantity": 2}]}, format="json")
    assert answer.status_code == 201
    lines = shop.stripe("GET", f"checkout/sessions/{answer.json()['session_id']}/line_items")["data"]
    assert sorted((line["price"]["lookup_key"], line["quantity"]) for line in lines) == [
        ("addon_extra_month", 2),
        ("pro_month", 1),
    ]

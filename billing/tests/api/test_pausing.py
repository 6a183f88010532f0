"""Codes, discounts and pauses by API."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from billing import testing
from billing.lifecycle import pausing

pytestmark = pytest.mark.django_db
PRO = {"plan": "pro", "interval": "month"}


def api(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def ada(world, settings):
    settings.BILLING_PAUSE_DAYS = 100
    return world.subscribed()


@pytest.mark.parametrize(
    ("terms", "rules", "asked", "code"),
    [
        (None, {}, {}, "promotion_code_unknown"),
        ({"amount_off": 500, "currency": "usd"}, {}, {"currency": "eur"}, "promotion_code_other_currency"),
        (
            {"percent_off": 10},
            {"minimum_amount": 9000, "minimum_amount_currency": "usd"},
            {},
            "promotion_code_below_minimum",
        ),
        ({"percent_off": 10, "max_redemptions": 1}, {"active": False}, {}, "promotion_code_expired"),
    ],
)
def test_a_code_that_is_no_good_has_a_stable_code_and_begins_nothing(world, terms, rules, asked, code):
    if terms:
        coupon = world.stripe("POST", "coupons", duration="once", **terms)
        active = rules.pop("active", True)
        promotion = {"type": "coupon", "coupon": coupon["id"]}
        more = {"restrictions": rules} if rules else {}
        world.stripe("POST", "promotion_codes", code="CODE", promotion=promotion, active=active, **more)
    body = {**PRO, **asked, "promotion_code": "CODE"}
    answer = api(world.sign_up()).post("/api/v1/subscriptions/checkout", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert world.stripe("GET", "checkout/sessions")["data"] == []


def test_the_state_names_discounts_and_a_pause(world, ada):
    coupon = world.stripe("POST", "coupons", percent_off=25, duration="forever", name="Friends")
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": coupon["id"]}])
    world.deliver()
    found = api(ada.user).get("/api/v1/subscriptions/current").json()
    assert found["collection_paused"] is None
    (discount,) = found["discounts"]
    assert (discount["name"], discount["percent_off"], discount["saves"]) == ("Friends", 25.0, 500)
    day = pausing.days_offered(ada.row)[0]
    answer = api(ada.user).post("/api/v1/subscriptions/pause", {"until": day.date().isoformat()}, format="json")
    paused = answer.json()["collection_paused"]
    assert (answer.status_code, paused["until"][:10]) == (200, day.date().isoformat())
    assert paused["access_until"] == answer.json()["access_ends_at"]
    answer = api(ada.user).delete("/api/v1/subscriptions/pause")
    assert (answer.status_code, answer.json()["collection_paused"]) == (200, None)
    answer = api(ada.user).delete("/api/v1/subscriptions/pause")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_paused")


@pytest.mark.parametrize(
    ("days", "status", "code"),
    [(-1, 400, "pause_too_soon"), (500, 400, "pause_too_long"), (None, 400, "invalid_request")],
)
def test_a_day_that_cannot_be_has_a_stable_code(world, ada, days, status, code):
    until = "soon" if days is None else (testing.now() + timedelta(days=days)).date().isoformat()
    answer = api(ada.user).post("/api/v1/subscriptions/pause", {"until": until}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)

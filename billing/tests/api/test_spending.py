"""The API tells what is paid by use, and sets the cap on it; nobody reaches another's."""

import pytest

from billing import usage
from billing.models import SpendCap
from billing.tests.usage.metered_plans import metered_plans, shop, use  # noqa: F401

pytestmark = pytest.mark.django_db
URL = "/api/v1/spending"
JSON = "application/json"


@pytest.fixture
def ada(shop, client):  # noqa: F811
    subscriber = shop.subscribed("pro")
    client.force_login(subscriber.user)
    return subscriber


def test_the_running_amount_is_told_at_once(ada, client, shop):  # noqa: F811
    use(shop.subscribed("pro", email="ben@example.com"), 500)
    use(ada, 140)
    found = client.get(URL).json()
    assert (found["amount"], found["currency"], found["formatted"], found["cap"]) == (100, "usd", "$1.00", None)
    assert found["features"] == [
        {"feature": "exports", "quantity": 0, "unit_amount_decimal": "30", "amount": 0},
        {"feature": "generations", "quantity": 40, "unit_amount_decimal": "2.5", "amount": 100},
    ]


def test_a_cap_stops_use_and_is_removed_again(ada, client, settings):
    settings.BILLING_SPEND_CAP = {"usd": 90_000}
    answer = client.put(URL, {"amount": 100}, JSON)
    assert (answer.status_code, answer.json()["cap"]) == (200, {"amount": 100, "policy": "stop"})
    assert client.post("/api/v1/usage/generations", {"quantity": 140}, JSON).json()["overage"] == 40
    refused = client.post("/api/v1/usage/generations", {}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (402, "spend_cap_reached")
    assert "spend cap" in refused.json()["detail"]
    assert SpendCap.objects.get().set_by == "subscriber"
    assert client.delete(URL).json()["cap"] == {"amount": 90_000, "policy": "stop"}
    assert client.post("/api/v1/usage/generations", {}, JSON).status_code == 200


def test_a_cap_that_warns_lets_use_go_on(ada, client, shop):  # noqa: F811
    client.put(URL, {"amount": 100, "policy": "warn"}, JSON)
    use(ada, 500)
    usage.each_minute()
    usage.each_minute()
    assert shop.said(ada).count("spend_cap_reached") == 1


@pytest.mark.parametrize("body", [{}, {"amount": -1}, {"amount": "much"}, {"amount": 5, "policy": "explode"}])
def test_a_wrong_cap_is_refused(ada, client, body):
    answer = client.put(URL, body, JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert not SpendCap.objects.exists()


def test_whoever_pays_nothing_by_use_is_told_so(shop, client):  # noqa: F811
    client.force_login(shop.sign_up())
    for answer in (client.get(URL), client.put(URL, {"amount": 5}, JSON), client.delete(URL)):
        assert (answer.status_code, answer.json()["code"]) == (409, "no_pay_by_use")


def test_a_stranger_is_asked_to_sign_in(client, db):
    assert client.get(URL).status_code == 401

"""Packs by API: what is sold, buying it, and what each purchase still gives."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework.test import APIClient

from billing import usage
from billing.setup import publishing_packs

pytestmark = pytest.mark.django_db(transaction=True)
CHECKOUT, PURCHASES = "/api/v1/purchases/checkout", "/api/v1/purchases"


@pytest.fixture
def shop(world):
    publishing_packs.publish()
    return world


@pytest.fixture
def ada(shop):
    return shop.sign_up("ada@example.com")


@pytest.fixture
def client(ada):
    client = APIClient()
    client.force_authenticate(ada)
    return client


def test_packs_are_listed_with_what_they_give_and_cost(shop):
    pack, lifetime = APIClient().get("/api/v1/packs").json()
    assert pack["slug"] == "credits_1000"
    assert pack["grants"] == {
        "own": False,
        "plan": "",
        "feature": "generations",
        "quantity": 1000,
        "lasts_days": None,
    }
    assert pack["prices"][0] == {"currency": "usd", "amount": 1500, "formatted": "$15.00"}
    assert (lifetime["slug"], lifetime["grants"]["plan"]) == ("lifetime_pro", "pro")


def test_a_purchase_is_begun_paid_and_listed_with_what_is_left(shop, client, ada):
    answer = client.post(CHECKOUT, {"pack": "credits_1000", "quantity": 2, "currency": "EUR"})
    assert answer.status_code == 201
    assert client.get(PURCHASES).json() == []
    shop.control(f"checkout/{answer.json()['session_id']}/complete")
    shop.deliver()
    usage.consume(ada, "generations", 10 + 5)
    [bought] = client.get(PURCHASES).json()
    assert (bought["pack"], bought["quantity"], bought["status"]) == ("credits_1000", 2, "paid")
    assert (bought["currency"], bought["amount"], bought["given_back"]) == ("eur", 2800, 0)
    assert bought["grants"] == {"own": 0, "plan": "", "feature": "generations", "credits": 1995, "until": None}


def test_a_stranger_sees_none_of_them(shop, client):
    session = client.post(CHECKOUT, {"pack": "credits_1000"}).json()["session_id"]
    shop.control(f"checkout/{session}/complete")
    shop.deliver()
    eve = APIClient()
    eve.force_authenticate(get_user_model().objects.create_user("eve@example.com"))
    assert eve.get(PURCHASES).json() == []
    assert APIClient().get(PURCHASES).status_code == APIClient().post(CHECKOUT, {}).status_code == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"pack": "nothing"}, "price_not_offered"),
        ({"pack": "credits_1000", "currency": "sek"}, "price_not_offered"),
        ({"pack": "credits_1000", "currency": "euro"}, "invalid_request"),
        ({"pack": "credits_1000", "quantity": 0}, "invalid_request"),
        ({"pack": "credits_1000", "quantity": 101}, "invalid_request"),
        ({"pack": "lifetime_pro", "quantity": 2}, "price_not_offered"),
    ],
)
def test_what_is_not_sold_is_400(client, body, code):
    answer = client.post(CHECKOUT, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_the_sixth_checkout_in_a_minute_is_429(client, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    answers = [client.post(CHECKOUT, {"pack": "credits_1000"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]


def test_what_is_owned_for_good_is_409(shop, client):
    session = client.post(CHECKOUT, {"pack": "lifetime_pro"}).json()["session_id"]
    shop.control(f"checkout/{session}/complete")
    shop.deliver()
    answer = client.post(CHECKOUT, {"pack": "lifetime_pro"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_owned")

"""A guest buys a pack by API, without a token; the answer tells nothing of accounts."""

import uuid

import pytest
from rest_framework.test import APIClient

from billing.models import Purchase
from billing.setup import publishing_packs

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/api/v1/purchases/guest"


@pytest.fixture
def shop(world, settings):
    settings.BILLING_GUESTS_BUY_PACKS = True
    settings.BILLING_EMAIL_IS_CONFIRMED = "billing.confirmed.elsewhere"
    publishing_packs.publish()
    return world


def ask(**more):
    body = {"pack": "credits_1000", "email": "gina@example.com", "key": str(uuid.uuid4()), **more}
    return APIClient().post(DOOR, body)


def test_a_guest_is_sent_to_checkout_once_for_a_key_in_their_language(shop):
    key = str(uuid.uuid4())
    body = {"pack": "credits_1000", "email": "gina@example.com", "key": key}
    answers = [APIClient().post(DOOR, body, headers={"accept-language": "de"}) for _ in range(2)]
    [purchase] = Purchase.objects.all()
    assert [answer.status_code for answer in answers] == [201, 201]
    assert {answer.json()["session_id"] for answer in answers} == {purchase.session_id}
    assert answers[0].json()["url"] == purchase.url
    assert (purchase.guest_email, purchase.locale, purchase.customer.subscriber) == ("gina@example.com", "de", None)


def test_an_address_with_an_account_is_answered_as_one_without(shop):
    shop.sign_up("ada@example.com")
    known, unknown = ask(email="ada@example.com"), ask(email="nobody@example.com")
    assert (known.status_code, known.json().keys()) == (unknown.status_code, unknown.json().keys())
    assert Purchase.objects.filter(customer__subscriber=None).count() == 2


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"email": "gina"}, 400, "address_refused"),
        ({"email": "gina@@example.com"}, 400, "address_refused"),
        ({"email": ""}, 400, "invalid_request"),
        ({"email": ["gina@example.com"]}, 400, "invalid_request"),
        ({"key": "1"}, 400, "invalid_request"),
        ({"pack": "nothing"}, 400, "price_not_offered"),
        ({"currency": "chf"}, 400, "price_not_offered"),
    ],
)
def test_bad_input_is_refused_by_a_code_and_nothing_is_begun(shop, asked, status, code):
    answer = ask(**asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Purchase.objects.exists()


def test_a_key_of_another_purchase_is_refused(shop):
    key = str(uuid.uuid4())
    assert ask(key=key).status_code == 201
    answer = ask(key=key, email="other@example.com")
    assert (answer.status_code, answer.json()["code"]) == (409, "checkout_replaced")
    assert Purchase.objects.count() == 1


def test_where_guests_are_not_served_it_is_a_code_of_its_own(shop, settings):
    settings.BILLING_GUESTS_BUY_PACKS = False
    answer = ask()
    assert (answer.status_code, answer.json()["code"]) == (403, "guests_not_served")
    assert not Purchase.objects.exists()


def test_the_sixth_checkout_of_one_address_in_a_minute_is_429_by_api_and_page_together(shop):
    assert [ask(email=f"{name}@Example.com").status_code for name in ["gina", "GINA"] * 3] == [201] * 5 + [429]
    assert ask(email="other@example.com").status_code == 201

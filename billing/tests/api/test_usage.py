"""Counting a use by API."""

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from billing import grants
from billing.catalogue import definitions
from billing.models import Usage

pytestmark = pytest.mark.django_db
GENERATIONS = "/api/v1/usage/generations"


@pytest.fixture
def client(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()
    client = APIClient()
    client.force_authenticate(get_user_model().objects.create_user("ada@example.com"))
    return client


def test_a_use_is_counted_and_what_remains_is_said(client):
    answer = client.post(GENERATIONS, {"quantity": 3})
    assert (answer.status_code, answer.json()) == (
        200,
        {"used": 3, "limit": 10, "credits": 0, "remaining": 7, "overage": 0},
    )


def test_without_a_quantity_it_is_one(client):
    assert client.post(GENERATIONS, {}).json()["used"] == 1


def test_above_the_limit_is_402_and_counts_nothing(client):
    client.post(GENERATIONS, {"quantity": 9})
    answer = client.post(GENERATIONS, {"quantity": 2})
    assert (answer.status_code, answer.json()["code"]) == (402, "quota_exceeded")
    assert Usage.objects.get().used == 9


def test_a_feature_that_is_not_in_the_plan_is_403(client):
    answer = client.post("/api/v1/usage/exports", {"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "no_access")


@pytest.mark.parametrize("quantity", [0, -1, "many", 1.5, None, 10**30, [], True])
def test_a_quantity_that_is_no_count_is_refused(client, quantity):
    answer = client.post(GENERATIONS, {"quantity": quantity})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert not Usage.objects.exists()


def test_a_key_counts_once_however_often_the_request_is_repeated(client):
    answers = [client.post(GENERATIONS, {"quantity": 3, "key": "job 7"}) for _ in range(3)]
    assert [(answer.status_code, answer.json()["used"]) for answer in answers] == [(200, 3)] * 3
    answer = client.post(GENERATIONS, {"quantity": 4, "key": "job 7"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Usage.objects.get().used == 3


def test_a_key_is_released_once_and_an_unknown_one_is_404(client):
    client.post(GENERATIONS, {"quantity": 3, "key": "job 7"})
    for _ in range(2):
        answer = client.post(f"{GENERATIONS}/release", {"key": "job 7"})
        assert (answer.status_code, answer.json()) == (
            200,
            {"used": 0, "limit": 10, "credits": 0, "remaining": 10, "overage": 0},
        )
    answer = client.post(f"{GENERATIONS}/release", {"key": "job 8"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_key")


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": "x" * 256}, {"key": None}, {"key": ["a"]}])
def test_a_release_without_a_key_is_400(client, body):
    answer = client.post(f"{GENERATIONS}/release", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_credits_are_in_the_answer_and_in_what_remains(client):
    ada = get_user_model().objects.get()
    grants.give_credits(ada, "generations", 5, source="pack")
    answer = client.post(GENERATIONS, {"quantity": 12})
    assert answer.json() == {"used": 10, "limit": 10, "credits": 3, "remaining": 3, "overage": 0}
    assert client.get("/api/v1/subscriptions/current").json()["usage"]["generations"]["credits"] == 3

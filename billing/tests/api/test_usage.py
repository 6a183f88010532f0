"""Counting a use by API."""

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

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
    assert (answer.status_code, answer.json()) == (200, {"used": 3, "limit": 10, "remaining": 7})


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

"""A subscriber takes along what is stored of them, and of nobody else, by a page and by the API."""

import json

import pytest
from rest_framework.test import APIClient

from billing.lifecycle import own_data
from billing.models import Hold
from billing.subscriptions import holds
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db


def test_every_row_of_a_subscriber_is_told_and_none_of_a_bystander(world, client):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    found = own_data.own_data(ada.user)
    assert [row["id"] for row in found["customers"]] == [ada.customer]
    assert [row["stripe_id"] for row in found["subscriptions"]] == [ada.subscription]
    assert [row["amount"] for row in found["payments"]] == [2000]
    client.force_login(ada.user)
    answer = client.get("/billing/data")
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(answer.content)["customers"][0]["id"] == ada.customer
    assert ben.customer not in answer.content.decode()
    assert ben.user.email not in answer.content.decode()


def test_the_api_tells_the_same_and_nothing_to_a_stranger(world):
    ada = world.subscribed()
    api = APIClient()
    assert api.get("/api/v1/data").status_code == 401
    api.force_authenticate(ada.user)
    assert api.get("/api/v1/data").json()["subscriptions"][0]["stripe_id"] == ada.subscription


def test_what_staff_noted_of_a_hold_stays_with_them(world):
    ada = world.subscribed()
    holds.place(customer_row(ada), Hold.Kind.STAFF, "grace", "smells of fraud")
    found = own_data.own_data(ada.user)
    assert [row["kind"] for row in found["holds"]] == ["staff"]
    assert "smells of fraud" not in str(found)

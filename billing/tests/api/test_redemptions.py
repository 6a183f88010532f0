"""Redeeming a code by API."""

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from billing import clock
from billing.catalogue import definitions
from billing.models import Code, Plan

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/redemptions"


@pytest.fixture
def client(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()
    client = APIClient()
    client.force_authenticate(get_user_model().objects.create_user("ada@example.com"))
    return client


def test_a_code_gives_what_the_answer_says(client):
    Code.objects.create(code="TEAM26", batch="partner", plan=Plan.objects.get(slug="team"), made_at=clock.now())
    for _ in range(2):
        answer = client.post(PATH, {"code": "team-26"})
        assert (answer.status_code, answer.json()) == (200, {
            "what": "Team", "plan": "team", "feature": "", "quantity": None, "is_credits": False, "until": None,
        })  # fmt: skip
    assert client.get("/api/v1/subscriptions/current").json()["plan"] == "team"


@pytest.mark.parametrize(
    ("columns", "status", "code"),
    [
        ({"used": 1}, 409, "code_spent"),
        ({"valid_until": "2020-01-01T00:00Z"}, 409, "code_over"),
        (None, 404, "unknown_code"),
    ],
)
def test_what_gives_nothing_says_why(client, columns, status, code):
    if columns is not None:
        plan = Plan.objects.get(slug="team")
        Code.objects.create(code="TEAM26", batch="partner", plan=plan, made_at=clock.now(), **columns)
    answer = client.post(PATH, {"code": "team-26"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": None}, {"code": ["a"]}, {"code": "x" * 201}])
def test_a_body_without_a_code_is_400(client, body):
    assert client.post(PATH, body, format="json").json()["code"] == "invalid_request"


def test_codes_cannot_be_guessed_in_numbers(client):
    answers = [client.post(PATH, {"code": f"GUESS{number}"}) for number in range(11)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_a_stranger_is_401():
    assert APIClient().post(PATH, {"code": "TEAM26"}).status_code == 401

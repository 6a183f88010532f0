"""Every error has one shape and a stable code."""

import pytest
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.test import Client
from rest_framework.test import APIClient
from rest_framework.views import APIView

from billing.api.errors import handler
from billing.api.permissions import HasAccess

pytestmark = pytest.mark.django_db

MINE = [
    ("get", "/api/v1/subscriptions/current"),
    ("post", "/api/v1/subscriptions/checkout"),
    ("post", "/api/v1/usage/generations"),
    ("get", "/api/v1/accounts/me"),
]


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")


@pytest.mark.parametrize(("method", "path"), MINE)
def test_without_signing_in_nothing_of_mine_is_answered(method, path):
    answer = getattr(APIClient(), method)(path, {})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Token"


def test_a_wrong_token_is_401():
    answer = APIClient().get("/api/v1/accounts/me", headers={"Authorization": "Token nonsense"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_user_set_inactive_is_let_in_no_more(ada):
    token = APIClient().post(
        "/api/v1/accounts/token", {"email": "ada@example.com", "password": "correct-horse-battery"}
    )
    ada.is_active = False
    ada.save()
    answer = APIClient().get("/api/v1/accounts/me", headers={"Authorization": f"Token {token.json()['token']}"})
    assert answer.status_code == 401


def test_a_session_without_the_csrf_token_is_403(ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    answer = client.post("/api/v1/usage/generations", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_a_database_that_does_not_answer_is_503_and_no_error_of_ours(error):
    answer = handler(error, {})
    assert (answer.status_code, answer.data["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "server closed" not in str(answer.data)
    assert handler(ProgrammingError("no such table"), {}) is None, "that one is ours, and is logged as such"


def test_another_method_is_405():
    answer = APIClient().delete("/api/v1/plans")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/", "/api/v1/plans/"])
def test_an_unknown_address_of_the_api_is_404_in_json(client, settings, debug, path):
    settings.DEBUG = debug
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"code": "not_found", "detail": "There is no endpoint at this address."}


def test_an_unknown_page_is_404_in_html(client, settings):
    settings.DEBUG = False
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()


def test_a_body_that_is_not_json_is_400(ada):
    client = APIClient()
    client.force_authenticate(ada)
    answer = client.post("/api/v1/usage/generations", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_body_of_another_type_is_415(ada):
    client = APIClient()
    client.force_authenticate(ada)
    answer = client.post("/api/v1/usage/generations", "<a/>", content_type="application/xml")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", ["[]", '"text"', "3", "null"])
def test_json_that_is_no_object_is_400(ada, body):
    client = APIClient()
    client.force_authenticate(ada)
    for path in ("/api/v1/usage/generations", "/api/v1/subscriptions/checkout", "/api/v1/accounts/register"):
        answer = client.post(path, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) in {(400, "invalid_request"), (200, None)}, path


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("checkout", {"plan": "pro", "interval": "fortnight"}, "interval: Choose one of: day, week, month, year."),
        ("preview", {"plan": "pro", "interval": "x" * 5000}, "interval: Choose one of: day, week, month, year."),
        ("change", {"plan": "pro", "interval": ""}, "interval: Choose one of: day, week, month, year."),
        ("cancel", {"when": ["now"]}, "when: Choose one of: period_end, now."),
        ("checkout", {"plan": "pro", "interval": "month", "currency": "€"}, "currency: Three letters, such as eur."),
    ],
)
def test_a_wrong_choice_is_told_what_there_is_to_choose_from(ada, path, body, sentence):
    client = APIClient()
    client.force_authenticate(ada)
    answer = client.post(f"/api/v1/subscriptions/{path}", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (400, "invalid_request", sentence)


def test_every_sentence_is_in_the_language_that_is_preferred_and_codes_stay(ada):
    client = APIClient(headers={"Accept-Language": "de"})
    assert client.get("/api/v1/accounts/me").json() == {
        "code": "not_authenticated",
        "detail": "Anmeldedaten fehlen.",
    }
    client.force_authenticate(ada)
    answer = client.post("/api/v1/usage/generations", {"quantity": "viele"})
    assert answer["Content-Language"] == "de"
    assert answer.json()["code"] == "invalid_request"
    assert answer.json()["detail"] == "quantity: Eine gültige Ganzzahl ist erforderlich."


def test_an_error_of_no_rule_is_left_to_be_a_500():
    assert handler(RuntimeError("unforeseen"), {}) is None


class Paid(APIView):
    permission_classes = (HasAccess,)


def test_a_host_projects_view_lets_in_only_who_has_access(ada, rf):
    request = rf.get("/")
    request.user = ada
    answer = Paid.as_view()(request)
    assert (answer.status_code, answer.data["code"]) == (403, "no_access")

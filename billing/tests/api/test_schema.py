"""The whole API as its own schema describes it, asked much that is allowed and much that is not: never a 500.

Endpoints are read from `/api/schema`, so that a new one is taken in by being there.
"""

import json

import pytest
import requests
import schemathesis
import urllib3
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def operations(world):
    schema = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    found = [found.ok() for found in schemathesis.openapi.from_dict(schema).get_all_operations()]
    assert len(found) >= 8
    return found


def ask_everything(operations, headers):
    client = Client(raise_request_exception=False)
    for operation in operations:
        ask_a_dozen_times(client, operation, headers)


def ask_a_dozen_times(client, operation, headers):
    """Each answer is as the schema says; the only server errors are that Stripe is away or refuses."""

    @FEW
    @given(case=operation.as_strategy())
    def ask(case):
        answered = send(client, case, headers)
        assert answered.status_code < 500 or answered.status_code in {502, 503}, f"{operation.label}: {answered.text}"
        operation.validate_response(answered)

    ask()


def send(client, case, headers):
    body = json.dumps(case.body) if isinstance(case.body, dict | list | str | int | float | bool | None) else ""
    answer = client.generic(
        case.method,
        case.formatted_path,
        body,
        content_type="application/json",
        query_params=dict(case.query or {}),
        headers=headers,
    )
    return as_requests_has_it(answer, case)


def as_requests_has_it(answer, case):
    found = requests.Response()
    found.status_code, found._content = answer.status_code, answer.content
    found.headers.update(answer.headers)
    found.raw = urllib3.HTTPResponse(headers=dict(answer.headers), status=answer.status_code)
    found.request = requests.Request(case.method, f"http://testserver{case.formatted_path}").prepare()
    return found


def test_a_stranger_is_answered_as_described(operations):
    ask_everything(operations, {})


def test_who_has_a_token_is_answered_as_described(operations, world):
    given = {"email": world.sign_up().email, "password": "correct-horse-battery"}
    token = Client().post("/api/v1/accounts/token", given, "application/json").json()["token"]
    ask_everything(operations, {"Authorization": f"Token {token}"})


def test_the_schema_is_made_without_a_warning(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(tmp_path / "schema.yaml"))


@FEW
@given(body=st.binary(max_size=50) | st.sampled_from([b"null", b"[]", b"{", b'"x"', b"1e999", b'{"plan": {"a": 1}}']))
@pytest.mark.parametrize("path", ["subscriptions/checkout", "accounts/register", "accounts/token"])
def test_any_body_is_answered(path, body):
    client = Client(raise_request_exception=False)
    assert client.generic("POST", f"/api/v1/{path}", body, content_type="application/json").status_code < 500

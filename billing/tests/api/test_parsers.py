"""Bodies that JSON allows and nothing can store: a sentence, not a server error."""

import pytest
from django.test import Client

PATHS = ["/api/v1/accounts/token", "/api/v1/accounts/register"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body", [b'{"email": "\\ud800@example.com", "password": "x\\ud800"}', b"[" * 200_000, b'{"\\ud800": 1}']
)
def test_what_cannot_be_stored_is_refused(path, body):
    answer = Client().post(path, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

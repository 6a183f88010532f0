"""No cache keeps an answer to one person on its way, and a page for all may be kept."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_user("ada@example.com"))
    return client


def is_private(answer) -> bool:
    said = {part.strip() for part in answer.headers.get("Cache-Control", "").split(",")}
    varies = {part.strip() for part in answer.headers.get("Vary", "").split(",")}
    return {"private", "no-store"} <= said and {"Authorization", "Cookie"} <= varies


@pytest.mark.parametrize(
    "address", ["/", "/api/v1/accounts/me", "/api/v1/subscriptions/current", "/api/v1/subscriptions/invoices"]
)
def test_who_is_signed_in_is_answered_privately(ada: Client, address: str) -> None:
    assert is_private(ada.get(address))


def test_a_token_is_kept_by_nobody(client: Client) -> None:
    asked = {"email": "ada@example.com", "password": "wrong-horse-battery"}
    assert is_private(client.post("/api/v1/accounts/token", asked, content_type="application/json"))


def test_who_shows_a_token_that_is_none_is_answered_privately_too(client: Client) -> None:
    assert is_private(client.get("/api/v1/subscriptions/current", headers={"Authorization": "Token x"}))


def test_a_strangers_page_of_prices_may_be_kept_and_says_what_it_depends_on(client: Client) -> None:
    answer = client.get("/")
    assert "no-store" not in answer.headers.get("Cache-Control", "")
    assert "Cookie" in answer.headers["Vary"]

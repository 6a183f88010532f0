"""The page of one's tokens: a new one is shown once, to who types the password."""

import re

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db
User = get_user_model()

PAGE = "/accounts/tokens/"
PASSWORD = "correct-horse-battery"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com", PASSWORD)


@pytest.fixture
def signed_in(client, ada):
    client.force_login(ada)
    return client


def opens(token):
    return APIClient(headers={"Authorization": f"Token {token}"}).get("/api/v1/accounts/me").status_code == 200


def test_a_token_is_made_and_shown_once(signed_in):
    answer = signed_in.post(PAGE, {"name": "nightly export", "password": PASSWORD})
    [value] = re.findall(r'id="new-token"[^>]*>([^<]+)<', answer.content.decode())
    assert opens(value)
    assert "no-store" in answer["Cache-Control"]
    later = signed_in.get(PAGE).content.decode()
    assert ("nightly export" in later, value in later) == (True, False)


@pytest.mark.parametrize("given", [{"password": "wrong"}, {"password": ""}, {"name": ""}, {"name": "x" * 101}])
def test_without_the_password_or_a_name_none_is_made(signed_in, given):
    answer = signed_in.post(PAGE, {"name": "laptop", "password": PASSWORD, **given})
    assert answer.status_code == 200
    assert 'id="new-token"' not in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_guessing_the_password_there_is_slowed_down(signed_in):
    answers = [signed_in.post(PAGE, {"name": "x", "password": f"guess-{n}"}).status_code for n in range(11)]
    assert answers[-1] == 429
    assert not ApiToken.objects.exists()


def test_one_of_ones_own_is_revoked_and_nobody_elses(signed_in, ada):
    ben = User.objects.create_user("ben@example.com", PASSWORD)
    mine, kept, bens = tokens.issue(ada, "mine"), tokens.issue(ada, "kept"), tokens.issue(ben, "bens")
    row = ada.api_tokens.get(name="mine")
    answer = signed_in.post(f"{PAGE}{row.pk}/revoke/", follow=True)
    assert "It no longer works" in answer.content.decode()
    assert signed_in.post(f"{PAGE}{ben.api_tokens.get().pk}/revoke/").status_code == 404
    assert signed_in.post(f"{PAGE}{row.pk}/revoke/").status_code == 404
    assert signed_in.get(f"{PAGE}{row.pk}/revoke/").status_code == 405
    assert [opens(token) for token in (mine, kept, bens)] == [False, True, True]


def test_a_name_is_shown_as_text(signed_in, ada):
    tokens.issue(ada, "<script>alert(1)</script>")
    assert "<script>alert" not in signed_in.get(PAGE).content.decode()


def test_who_is_not_signed_in_is_led_to_log_in(client):
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")

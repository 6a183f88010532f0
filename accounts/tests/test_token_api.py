"""The API of tokens: one's own and nobody else's."""

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db
User = get_user_model()

TOKEN, TOKENS, ME = "/api/v1/accounts/token", "/api/v1/accounts/tokens", "/api/v1/accounts/me"
PASSWORD = "correct-horse-battery"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com", PASSWORD)


@pytest.fixture
def ben():
    return User.objects.create_user("ben@example.com", PASSWORD)


def by(token):
    return APIClient(headers={"Authorization": f"Token {token}"})


def opens(token):
    return by(token).get(ME).status_code == 200


def test_a_token_is_named_when_it_is_signed_in_for(ada):
    given = {"email": "ada@example.com", "password": PASSWORD}
    answer = APIClient().post(TOKEN, {**given, "name": "nightly export"})
    assert set(answer.json()) == {"token"}
    APIClient().post(TOKEN, given)
    assert set(ada.api_tokens.values_list("name", flat=True)) == {"nightly export", tokens.NAME_BY_API}


def test_the_list_shows_ones_own_valid_tokens_and_never_a_value(ada, ben):
    old, mine = tokens.issue(ada, "old"), tokens.issue(ada, "mine")
    tokens.issue(ben, "bens")
    by(old).delete(TOKEN)
    answer = by(mine).get(TOKENS)
    [only] = answer.json()
    assert set(only) == {"id", "name", "prefix", "created_at", "last_used_at", "expires_at", "is_current"}
    assert (only["name"], only["prefix"], only["is_current"]) == ("mine", mine[:8], True)
    assert mine not in answer.content.decode()
    assert ada.api_tokens.get(name="mine").digest not in answer.content.decode()


def test_delete_ends_the_token_of_the_request_and_no_other(ada, ben):
    mine, other, bens = tokens.issue(ada, "mine"), tokens.issue(ada, "other"), tokens.issue(ben, "bens")
    assert by(mine).delete(TOKEN).status_code == 204
    assert [opens(token) for token in (mine, other, bens)] == [False, True, True]
    assert by(mine).delete(TOKEN).status_code == 401


def test_a_session_has_no_token_to_end(ada):
    api = APIClient()
    api.force_login(ada)
    answer = api.delete(TOKEN)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_token")


def test_a_session_without_its_csrf_token_ends_none(ada):
    token = tokens.issue(ada, "mine")
    api = APIClient(enforce_csrf_checks=True)
    api.force_login(ada)
    assert api.delete(TOKENS).status_code == 403
    assert opens(token)


def test_one_is_ended_by_its_id_and_a_strangers_is_not_found(ada, ben):
    mine, other, bens = tokens.issue(ada, "mine"), tokens.issue(ada, "other"), tokens.issue(ben, "bens")
    stranger = by(mine).delete(f"{TOKENS}/{ben.api_tokens.get().pk}")
    assert (stranger.status_code, stranger.json()["code"]) == (404, "not_found")
    assert by(mine).delete(f"{TOKENS}/{uuid4()}").status_code == 404
    assert by(mine).delete(f"{TOKENS}/{ada.api_tokens.get(name='other').pk}").status_code == 204
    assert [opens(token) for token in (mine, other, bens)] == [True, False, True]


def test_all_are_ended_at_once_and_nobody_elses(ada, ben):
    mine, other, bens = tokens.issue(ada, "mine"), tokens.issue(ada, "other"), tokens.issue(ben, "bens")
    assert by(mine).delete(TOKENS).status_code == 204
    assert [opens(token) for token in (mine, other, bens)] == [False, False, True]
    assert set(ada.api_tokens.values_list("revoked_because", flat=True)) == {ApiToken.Because.OWNER}


@pytest.mark.parametrize("path", [TOKENS, TOKEN])
def test_a_stranger_reaches_nothing(path):
    assert APIClient().delete(path).status_code == 401


def test_ending_tokens_is_no_try_of_a_password(ada):
    for _ in range(12):
        assert by(tokens.issue(ada, "x")).delete(TOKEN).status_code == 204
    assert APIClient().post(TOKEN, {"email": "ada@example.com", "password": PASSWORD}).status_code == 200

"""Registering, signing in for a token, and who am I."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from accounts import registration

pytestmark = pytest.mark.django_db

REGISTER, TOKEN, ME = (f"/api/v1/accounts/{name}" for name in ("register", "token", "me"))
ADA = {"email": "ada@example.com", "password": "correct-horse-battery"}
User = get_user_model()
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


@pytest.fixture
def api():
    return APIClient()


def code(answer):
    return answer.status_code, answer.json()["code"]


def test_registering_makes_a_user_who_can_sign_in(api):
    answer = api.post(REGISTER, ADA)
    user = User.objects.get()
    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["email"]) == (str(user.pk), "ada@example.com")
    assert set(answer.json()) == {"id", "email", "email_confirmed", "date_joined", "language"}
    assert user.check_password(ADA["password"])
    assert not user.is_staff


def test_the_token_tells_who_i_am(api):
    me = api.post(REGISTER, ADA).json()
    token = api.post(TOKEN, ADA).json()["token"]
    assert api.post(TOKEN, ADA).json()["token"] != token
    assert api.get(ME, headers={"Authorization": f"Token {token}"}).json() == me


def test_an_address_is_the_same_however_it_is_cased(api):
    api.post(REGISTER, {**ADA, "email": "Ada@Example.com"})
    assert code(api.post(REGISTER, {**ADA, "email": "ADA@example.COM"})) == (400, "email_taken")
    assert api.post(TOKEN, {**ADA, "email": " ADA@EXAMPLE.com"}).status_code == 200
    assert User.objects.get().email == "ada@example.com"


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.com", "a b@example.com", "a" * 250 + "@example.com"])
def test_an_address_that_is_none_is_refused(api, email):
    assert code(api.post(REGISTER, {**ADA, "email": email})) in {(400, "invalid_email"), (400, "invalid_request")}
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "12345678901", "password", "ada@example.com"])
def test_a_weak_password_is_refused_with_the_reasons(api, password):
    answer = api.post(REGISTER, {**ADA, "password": password})
    assert code(answer) == (400, "weak_password")
    assert answer.json()["fields"]["password"]


@pytest.mark.parametrize("body", [{}, {"email": "ada@example.com"}, {"password": "x"}, {**ADA, "email": ["x"]}])
def test_what_is_missing_is_named(api, body):
    assert code(api.post(REGISTER, body)) == (400, "invalid_request")


@pytest.mark.parametrize("password", ["wrong-horse-battery", "correct-horse-battery "])
def test_a_wrong_password_is_refused(api, password):
    api.post(REGISTER, ADA)
    assert code(api.post(TOKEN, {**ADA, "password": password})) == (400, "bad_credentials")


def test_an_unknown_address_is_refused_the_same_way(api):
    known = api.post(REGISTER, ADA) and api.post(TOKEN, {**ADA, "password": "wrong"}).json()
    assert api.post(TOKEN, {**ADA, "email": "bob@example.com"}).json() == known


def test_a_user_set_inactive_gets_no_token(api):
    api.post(REGISTER, ADA)
    User.objects.update(is_active=False)
    assert code(api.post(TOKEN, ADA)) == (400, "bad_credentials")


def test_guessing_one_accounts_password_is_slowed_down(api):
    api.post(REGISTER, ADA)
    with time_machine.travel(NOON, tick=False):
        answers = [api.post(TOKEN, {**ADA, "password": f"guess-{n}"}) for n in range(11)]
    assert code(answers[9]) == (400, "bad_credentials")
    assert code(answers[10]) == (429, "rate_limited")
    assert int(answers[10]["Retry-After"]) > 0


def test_trying_many_accounts_from_one_address_is_slowed_down(api):
    with time_machine.travel(NOON, tick=False):
        answers = [api.post(TOKEN, {"email": f"user{n}@example.com", "password": "x"}) for n in range(31)]
    assert [answer.status_code for answer in answers] == [400] * 30 + [429]


def test_the_database_settles_two_registrations_at_once(monkeypatch):
    monkeypatch.setattr(registration, "validate_password", lambda *_: User.objects.create_user("ada@example.com"))
    with pytest.raises(registration.Refused) as refused:
        registration.register("ada@example.com", "correct-horse-battery")
    assert refused.value.code == "email_taken"


def test_the_language_of_the_browser_is_that_of_the_mails_until_another_is_chosen(api):
    body = {"email": "eva@example.com", "password": "correct horse battery"}
    made = api.post("/api/v1/accounts/register", body, headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert made.json()["language"] == "de"
    api.force_authenticate(User.objects.get())
    assert api.patch("/api/v1/accounts/me", {"language": "fr", "email": "other@example.com"}).status_code == 200
    assert (User.objects.get().language, User.objects.get().email) == ("fr", "eva@example.com")
    refused = api.patch("/api/v1/accounts/me", {"language": "tlh"})
    assert code(refused) == (400, "invalid_request")

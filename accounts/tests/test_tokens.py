"""API tokens as an attacker meets them: bound to the password, kept as digests, and ended in every way they may end."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db
User = get_user_model()

TOKEN, ME = "/api/v1/accounts/token", "/api/v1/accounts/me"
PASSWORD, ANOTHER = "correct-horse-battery", "another-horse-9"
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com", PASSWORD)


@pytest.fixture
def ben():
    return User.objects.create_user("ben@example.com", PASSWORD)


def opens(token):
    return APIClient(headers={"Authorization": f"Token {token}"}).get(ME).status_code == 200


def signed_in(email="ada@example.com", password=PASSWORD):
    return APIClient().post(TOKEN, {"email": email, "password": password}).json()["token"]


def test_each_sign_in_gives_another_token_and_the_earlier_ones_go_on(ada, ben):
    first, second = signed_in(), signed_in()
    assert first != second
    assert (opens(first), opens(second)) == (True, True)
    assert len(first) >= 43  # 256 bits


def test_the_database_knows_no_token(ada):
    token = signed_in()
    row = ApiToken.objects.values().get()
    texts = [str(value) for value in row.values()]
    assert not any(token in text for text in texts)
    assert row["digest"] == hashlib.sha256(token.encode()).hexdigest()
    assert row["prefix"] == token[:8]


@pytest.mark.parametrize("guess", ["0" * 40, "digest", "prefix", "", "\0", "ä" * 20, "x" * 5000])
def test_nothing_but_the_value_opens_anything(ada, guess):
    signed_in()
    row = ApiToken.objects.get()
    assert tokens.find({"digest": row.digest, "prefix": row.prefix}.get(guess, guess)) is None


# The password it came from


def by_set_password(user):
    user.set_password(ANOTHER)
    user.save()


def by_some_fields(user):
    user.set_password(ANOTHER)
    user.save(update_fields=["password"])


def by_update(user):
    User.objects.filter(pk=user.pk).update(password=make_password(ANOTHER))


def by_making_it_unusable(user):
    user.set_unusable_password()
    user.save()


def by_the_same_again(user):
    user.set_password(PASSWORD)
    user.save()


@pytest.mark.parametrize(
    "change", [by_set_password, by_some_fields, by_update, by_making_it_unusable, by_the_same_again]
)
def test_however_a_password_changes_no_token_made_under_the_old_one_is_left(ada, ben, change):
    old, bens = signed_in(), signed_in("ben@example.com")
    change(ada)
    assert (opens(old), opens(bens)) == (False, True)
    ada.refresh_from_db()
    assert not ApiToken.objects.of(ada).exists()
    assert opens(tokens.issue(ada, "new"))


@pytest.mark.postgres
def test_after_a_reset_by_mail_the_attackers_token_and_session_are_dead_and_signing_in_gives_another(ada, client):
    """W4, step by step: who registered the victim's address kept a token and a session."""
    stolen = signed_in()
    client.force_login(ada)
    attacker, victim = client, APIClient()
    assert attacker.get("/accounts/tokens/").status_code == 200
    reset_by_mail(ada)
    assert not opens(stolen)
    assert attacker.get("/accounts/tokens/")["Location"].startswith("/accounts/login/")
    again = victim.post(TOKEN, {"email": "ada@example.com", "password": ANOTHER}).json()["token"]
    assert (again != stolen, opens(again), opens(stolen)) == (True, True, False)


def reset_by_mail(user):
    browser = APIClient()
    browser.post("/accounts/password-reset/", {"email": user.email}, format="multipart")
    link = next(word for word in mail.outbox[-1].body.split() if "/accounts/password-reset/" in word)
    form = browser.get(link.partition("127.0.0.1:8000")[2], follow=True)
    chosen = {"new_password1": ANOTHER, "new_password2": ANOTHER}
    answer = browser.post(form.redirect_chain[-1][0], chosen, format="multipart")
    assert answer.status_code == 302


def test_staff_who_set_a_password_in_the_admin_end_the_tokens(ada, admin_client):
    token = signed_in()
    given = {"usable_password": "true", "password1": ANOTHER, "password2": ANOTHER}
    assert admin_client.post(f"/admin/accounts/user/{ada.pk}/password/", given).status_code == 302
    assert not opens(token)


def test_a_stronger_hash_of_the_same_password_ends_no_token(ada, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    ada.password = weak = PBKDF2PasswordHasher().encode(PASSWORD, "pepper" * 4, iterations=1000)
    ada.save()
    kept = tokens.issue(ada, "kept")
    signed_in()
    ada.refresh_from_db()
    assert ada.password != weak
    assert opens(kept)


# Other ends


def test_a_token_ends_on_its_day_and_not_before(ada, settings):
    settings.ACCOUNTS_TOKEN_DAYS = 10
    with time_machine.travel(NOON, tick=False) as clock:
        token = signed_in()
        clock.shift(timedelta(days=10, seconds=-1))
        assert opens(token)
        clock.shift(timedelta(seconds=1))
        assert not opens(token)


def test_without_a_limit_a_token_lasts(ada, settings):
    settings.ACCOUNTS_TOKEN_DAYS = 0
    with time_machine.travel(NOON, tick=False) as clock:
        token = signed_in()
        clock.shift(timedelta(days=4000))
        assert opens(token)


def test_who_is_deactivated_has_no_token_left_when_they_come_back(ada, ben):
    token, bens = signed_in(), signed_in("ben@example.com")
    ada.is_active = False
    ada.save()
    assert not opens(token)
    ada.is_active = True
    ada.save()
    assert (opens(token), opens(bens)) == (False, True)
    assert ApiToken.objects.get(user=ada).revoked_because == "deactivated"


def test_an_inactive_user_who_was_never_saved_so_has_none_either(ada):
    token = signed_in()
    User.objects.update(is_active=False)
    assert not opens(token)


def test_a_deleted_row_takes_its_tokens_along(ada):
    signed_in()
    ada.delete()
    assert not ApiToken.objects.exists()


@pytest.mark.postgres
def test_beyond_fifty_the_token_that_was_unused_for_longest_goes(ada, monkeypatch):
    monkeypatch.setattr(tokens, "AT_MOST", 3)
    with time_machine.travel(NOON, tick=False) as clock:
        values = []
        for name in "abc":
            values.append(tokens.issue(ada, name))
            clock.shift(timedelta(minutes=5))
        assert opens(values[0])
        clock.shift(timedelta(minutes=5))
        newest = tokens.issue(ada, "d")
    assert [opens(value) for value in [*values, newest]] == [True, False, True, True]


def test_spent_tokens_are_kept_for_ninety_days(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        tokens.issue(ada, "old")
        ApiToken.objects.revoke(ApiToken.Because.OWNER)
        clock.shift(timedelta(days=90))
        tokens.issue(ada, "b")
        assert ApiToken.objects.count() == 2
        clock.shift(timedelta(seconds=1))
        tokens.issue(ada, "c")
        assert sorted(ApiToken.objects.values_list("name", flat=True)) == ["b", "c"]


# What a request costs


def test_use_is_noted_once_a_minute_and_not_per_request(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        token = signed_in()
        with CaptureQueriesContext(connection) as queries:
            assert all(opens(token) for _ in range(5))
        assert len([q for q in queries if q["sql"].startswith("UPDATE")]) == 1
        assert ApiToken.objects.get().last_used_at == NOON
        clock.shift(timedelta(seconds=59))
        opens(token)
        assert ApiToken.objects.get().last_used_at == NOON
        clock.shift(timedelta(seconds=1))
        opens(token)
        assert ApiToken.objects.get().last_used_at == NOON + timedelta(minutes=1)


def test_the_row_is_found_by_its_digest_so_that_time_tells_nothing_of_the_value(ada):
    token = signed_in()
    with CaptureQueriesContext(connection) as queries:
        opens(token)
    assert not any(token in query["sql"] for query in queries)

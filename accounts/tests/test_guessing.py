"""Passwords are guessed at every door of the project: all share their counters, and the owner gets in all the same."""

import asyncio
import json
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, get_user_model
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.urls import URLPattern, get_resolver

from accounts import counting
from accounts.guessing import ATTACKED, TooManyGuesses, guarded
from billing.models import AccountDeletion

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

User = get_user_model()
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
NEW = "another-horse-9"
ATTACKER, ELSEWHERE = "10.0.0.1", "10.9.9.9"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def ada():
    return User.objects.create_superuser("ada@example.com", PASSWORD)


@pytest.fixture
def ben():
    return User.objects.create_user("ben@example.com", PASSWORD)


def sign_in(client, password, address=ATTACKER, email="ada@example.com"):
    return client.post("/accounts/login/", {"username": email, "password": password}, REMOTE_ADDR=address)


def at_the_admin(client, password, address):
    return client.post("/admin/login/", {"username": "ada@example.com", "password": password}, REMOTE_ADDR=address)


def changing_it(client, password, address):
    given = {"old_password": password, "new_password1": NEW, "new_password2": NEW}
    return client.post("/admin/password_change/", given, REMOTE_ADDR=address)


def for_a_token(client, password, address):
    given = {"email": "Ada@example.com", "password": password}
    return client.post("/api/v1/accounts/token", given, "application/json", REMOTE_ADDR=address)


def deleting(client, password, address):
    return client.post("/accounts/delete/", {"password": password}, REMOTE_ADDR=address)


def deleting_by_api(client, password, address):
    return client.delete("/api/v1/accounts/me", {"password": password}, "application/json", REMOTE_ADDR=address)


def making_a_token(client, password, address=ATTACKER):
    given = {"name": "laptop", "password": password}
    return client.post("/accounts/tokens/", given, REMOTE_ADDR=address)


def changing_the_address(client, password, address):
    given = {"email": "ada@example.org", "password": password}
    return client.post("/accounts/email/", given, REMOTE_ADDR=address)


def changing_the_password(client, password, address):
    return client.post("/accounts/password/", {"password": password, "new_password": NEW}, REMOTE_ADDR=address)


# the door → how it is tried, and whether the right password had its effect
DOORS = {
    "/admin/login/": (at_the_admin, lambda ada, answer: answer.status_code == 302),
    "/accounts/login/": (sign_in, lambda ada, answer: answer.status_code == 302),
    "/admin/password_change/": (changing_it, lambda ada, answer: User.objects.get().check_password(NEW)),
    "/accounts/delete/": (deleting, lambda ada, answer: AccountDeletion.objects.exists()),
    "/accounts/tokens/": (making_a_token, lambda ada, answer: b'id="new-token"' in answer.content),
    "/accounts/email/": (
        changing_the_address,
        lambda ada, answer: [sent.to for sent in mail.outbox] == [["ada@example.org"]],
    ),
    "/accounts/password/": (changing_the_password, lambda ada, answer: User.objects.get().check_password(NEW)),
    "POST /api/v1/accounts/token": (for_a_token, lambda ada, answer: len(answer.json()["token"]) >= 40),
    "DELETE /api/v1/accounts/me": (deleting_by_api, lambda ada, answer: AccountDeletion.objects.exists()),
}


def try_at(door, user, password, address):
    """Try in a browser that is not known: where one has to be signed in, a session was stolen."""
    client = Client()
    if door not in ("/admin/login/", "/accounts/login/", "POST /api/v1/accounts/token"):
        client.force_login(user)
    return DOORS[door][0](client, password, address)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_is_limited_by_the_same_counters_and_opens_to_the_owner_from_elsewhere(door, ada):
    guesses = [try_at(door, ada, f"guess-{n}", ATTACKER) for n in range(10)]
    assert [answer.status_code for answer in guesses if answer.status_code == 429] == []
    for other in DOORS:
        refused = try_at(other, ada, PASSWORD, ATTACKER)
        assert (other, refused.status_code) == (other, 429)
        assert 0 < int(refused["Retry-After"]) <= 60
    answer = try_at(door, ada, PASSWORD, ELSEWHERE)
    assert answer.status_code != 429
    assert DOORS[door][1](ada, answer)


def addresses(patterns, before=""):
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z").removesuffix("$")
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from addresses(pattern.url_patterns, route)


def asks_for_the_password(page):
    return re.search(r'<input[^>]*autocomplete="current-password"', page) is not None


def test_no_other_address_of_the_project_takes_a_password(ada):
    client = Client()
    found = set()
    for is_signed_in in (False, True):
        if is_signed_in:
            client.force_login(ada)
        for route in set(addresses(get_resolver().url_patterns)):
            path = "/" + re.sub(r"<[^>]+>", str(ada.pk), route)
            if re.search(r"[\\(?*]", path) or path == "/admin/logout/":
                continue
            answer = client.get(path)
            kind = answer.headers.get("Content-Type", "")
            if answer.status_code == 200 and kind.startswith("text/html") and not answer.streaming:
                found |= {path} if asks_for_the_password(answer.content.decode()) else set()
    wrong = {"email": "ada@example.com", "password": "wrong"}
    for route in addresses(get_resolver().url_patterns):
        for method in ("POST", "PUT", "PATCH", "DELETE") if route.startswith("api/v1/accounts/") else ():
            answer = client.generic(method, f"/{route}", json.dumps(wrong), "application/json")
            found |= {f"{method} /{route}"} if b"bad_credentials" in answer.content else set()
    assert found == set(DOORS)


def test_right_passwords_are_not_counted(ada):
    for _ in range(70):
        assert sign_in(Client(), PASSWORD).status_code == 302


def test_failures_are_counted_to_the_bound_and_forgotten_after_a_minute(clock, ada):
    for n in range(10):
        assert sign_in(Client(), f"guess-{n}").status_code == 200
    assert sign_in(Client(), PASSWORD).status_code == 429
    clock.shift(timedelta(seconds=60))
    assert sign_in(Client(), PASSWORD).status_code == 302


def test_a_fresh_address_is_slowed_at_an_attacked_account_and_never_locked_out(clock, ada, ben):
    for n in range(ATTACKED.limit):
        assert sign_in(Client(), f"guess-{n}", f"10.0.1.{n}").status_code == 200
    assert sign_in(Client(), "typo", ELSEWHERE).status_code == 200
    slowed = sign_in(Client(), PASSWORD, ELSEWHERE)
    assert (slowed.status_code, 0 < int(slowed["Retry-After"]) <= 5) == (429, True)
    assert "try again in" in slowed.content.decode()
    clock.shift(timedelta(seconds=5))
    assert sign_in(Client(), PASSWORD, ELSEWHERE).status_code == 302
    # Nobody attacks Ben: he may mistype as fast as he can.
    for _ in range(9):
        assert sign_in(Client(), "typo", ELSEWHERE, "ben@example.com").status_code == 200
    assert sign_in(Client(), PASSWORD, ELSEWHERE, "ben@example.com").status_code == 302


def test_one_failure_less_does_not_slow_anybody(ada):
    for n in range(ATTACKED.limit - 2):
        sign_in(Client(), f"guess-{n}", f"10.0.1.{n}")
    assert sign_in(Client(), "typo", ELSEWHERE).status_code == 200
    assert sign_in(Client(), PASSWORD, ELSEWHERE).status_code == 302


def test_a_known_browser_gets_in_from_the_very_address_of_the_attack(ada):
    browser = Client()
    sign_in(browser, PASSWORD)
    browser.post("/accounts/logout/")
    for n in range(40):
        sign_in(Client(), f"guess-{n}")
    assert sign_in(Client(), PASSWORD).status_code == 429
    assert sign_in(browser, PASSWORD).status_code == 302


def test_a_known_browser_has_a_bound_of_its_own_and_a_success_resets_it(ada):
    browser = Client()
    sign_in(browser, PASSWORD)
    browser.post("/accounts/logout/")
    for _ in range(9):
        assert sign_in(browser, "typo").status_code == 200
    assert sign_in(browser, PASSWORD).status_code == 302
    browser.post("/accounts/logout/")
    for _ in range(10):
        assert sign_in(browser, "typo").status_code == 200
    assert sign_in(browser, PASSWORD).status_code == 429


def test_a_browser_is_known_for_its_own_user_alone_and_until_the_password_changes(ada, ben):
    browser = Client()
    sign_in(browser, PASSWORD, email="ben@example.com")
    browser.post("/accounts/logout/")
    for n in range(10):
        sign_in(browser, f"guess-{n}")
    assert sign_in(browser, PASSWORD).status_code == 429
    ben.set_password(NEW)
    ben.save()
    for _ in range(10):
        sign_in(browser, "typo", email="ben@example.com")
    assert sign_in(browser, NEW, email="ben@example.com").status_code == 429


def test_a_cookie_made_up_makes_no_browser_known(ada):
    browser = Client()
    sign_in(browser, PASSWORD)
    [name] = [name for name in browser.cookies if name.startswith("device_")]
    assert browser.cookies[name]["httponly"]
    forger = Client()
    for n in range(10):
        forger.cookies[name] = f"made-up-{n}:1tK4sM:signature"
        sign_in(forger, f"guess-{n}")
    assert sign_in(forger, PASSWORD).status_code == 429


def test_signing_in_to_ones_own_account_clears_no_failure_at_others(ben):
    for n in range(30):
        assert sign_in(Client(), "x", email=f"user{n}@example.com").status_code == 200
        if n == 20:
            assert sign_in(Client(), PASSWORD, email="ben@example.com").status_code == 302
    assert sign_in(Client(), "x", email="user30@example.com").status_code == 429
    assert sign_in(Client(), "x", ELSEWHERE, email="user30@example.com").status_code == 200


def test_an_ipv6_network_is_one_address(ada):
    for n in range(10):
        assert sign_in(Client(), f"guess-{n}", f"2001:db8:0:1::{n + 1}").status_code == 200
    assert sign_in(Client(), PASSWORD, "2001:db8:0:1:ffff::1").status_code == 429
    assert sign_in(Client(), PASSWORD, "2001:db8:0:2::1").status_code == 302


def test_ipv4_written_as_ipv6_is_one_address_and_not_one_network_of_all(ada):
    for n in range(10):
        assert sign_in(Client(), f"guess-{n}", "::ffff:192.0.2.1").status_code == 200
    assert sign_in(Client(), PASSWORD, "192.0.2.1").status_code == 429
    assert sign_in(Client(), PASSWORD, "::ffff:192.0.2.2").status_code == 302


@pytest.mark.postgres
def test_a_reset_goes_to_no_address_that_only_looks_alike(ada):
    for alike in ("ad\u0430@example.com", "\u0101da@example.com", "ada@ex\u0430mple.com"):
        Client().post("/accounts/password-reset/", {"email": alike})
    assert not mail.outbox
    Client().post("/accounts/password-reset/", {"email": "ADA@EXAMPLE.COM"})
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


def test_tries_without_an_address_lock_out_nobody(ada):
    for n in range(40):
        sign_in(Client(), f"guess-{n}", "10.0.0.9", email="")
    assert sign_in(Client(), PASSWORD, "10.0.0.9").status_code == 302


def test_unknown_accounts_are_answered_and_counted_like_known_ones(ada):
    for n in range(11):
        known = sign_in(Client(), f"guess-{n}", "10.0.0.2")
        unknown = sign_in(Client(), f"guess-{n}", "10.0.0.3", "nobody@example.com")
        assert known.status_code == unknown.status_code
    assert known.status_code == 429


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_do_not_pass_the_bound_together():
    checked, refused, start = [], [], threading.Barrier(16)

    def attempt():
        start.wait()
        try:
            guarded(None, "ada@example.com", lambda: checked.append(1))
        except TooManyGuesses:
            refused.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checked) + len(refused) == 16
    assert 1 <= len(checked) <= 10


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_way_passes_the_same_counters(ada):
    async def attack():
        for n in range(10):
            assert await aauthenticate(username="ada@example.com", password=f"guess-{n}") is None
        with pytest.raises(TooManyGuesses):
            await aauthenticate(username="ada@example.com", password=PASSWORD)
        await sync_to_async(connections.close_all)()

    asyncio.run(attack())


@pytest.fixture
def a_store_of_its_own(monkeypatch):
    """It remembers for a while that the cache is away."""
    monkeypatch.setattr(counting, "store", counting.Store())
    yield
    counting.store.process.clear()


def test_while_the_cache_is_away_each_process_counts_for_itself(settings, a_store_of_its_own, ada):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    for n in range(10):
        assert sign_in(Client(), f"guess-{n}").status_code == 200
    assert sign_in(Client(), PASSWORD).status_code == 429
    assert sign_in(Client(), PASSWORD, ELSEWHERE).status_code == 302


def reset(email, address):
    return Client().post("/accounts/password-reset/", {"email": email}, REMOTE_ADDR=address)


def test_one_account_is_mailed_five_resets_an_hour_wherever_they_are_asked_from(clock, ada, ben):
    for n in range(5):
        assert reset("ada@example.com", f"10.0.0.{n}").status_code == 302
    refused = reset("ADA@example.com ", "10.0.0.6")
    assert (refused.status_code, int(refused["Retry-After"])) == (429, 3600)
    assert len(mail.outbox) == 5
    assert reset("ben@example.com", "10.0.0.6").status_code == 302
    clock.shift(timedelta(hours=1))
    assert reset("ada@example.com", "10.0.0.6").status_code == 302


def test_resets_of_an_unknown_account_are_limited_alike():
    answers = [reset("nobody@example.com", f"10.0.0.{n}").status_code for n in range(6)]
    assert answers == [302] * 5 + [429]
    assert not mail.outbox

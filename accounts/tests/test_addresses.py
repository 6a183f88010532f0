"""The same addresses are taken, in the same spelling, on every way in."""

import re
from io import StringIO

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from rest_framework.test import APIClient

from accounts import addresses, closing

pytestmark = pytest.mark.django_db
User = get_user_model()

REGISTER, TOKEN = "/api/v1/accounts/register", "/api/v1/accounts/token"
PASSWORD = "correct-horse-battery"

REFUSED = {
    "a quoted local part": '"ada"@example.com',
    "a quoted line break": '"a\x0bzz"@example.com',
    "a quoted formula": '"a;=1+1|calc!a0;b"@example.com',
    "a line break": "ada\x0b@example.com",
    "a NUL": "a\0da@example.com",
    "a soft hyphen in the domain": "ada@exam\u00adple.com",
    "a zero-width space in the domain": "ada@exam\u200bple.com",
    "a zero-width joiner": "ad\u200da@example.com",
    "a change of direction": "ada\u202e@example.com",
    "a reserved domain": "ada@deleted.invalid",
    "our own form": "deleted-0123456789abcdef@deleted.invalid",
    "a reserved domain in capitals": "ada@DELETED.INVALID",
    "a reserved domain with full-width letters": "ada@deleted.ｉｎｖａｌｉｄ",
    "a reserved domain behind another dot": "ada@deleted。invalid",
    "a reserved top": "ada@acme.example",
    "this machine": "ada@localhost",
    "a name under this machine": "ada@mail.localhost",
    "a number": "ada@[127.0.0.1]",
    "a domain of no spelling": "ada@☃.com",
    "no domain": "ada",
    "two": "ada@example.com,ben@example.com",
}
TAKEN = {
    "Ada@Example.COM": "ada@example.com",
    "ada+tag@example.com": "ada+tag@example.com",
    "ada@Exämple.de": "ada@xn--exmple-cua.de",
    "ada@xn--exmple-cua.de": "ada@xn--exmple-cua.de",
    "ada@STRASSE.de": "ada@strasse.de",
    "ada@straße.de": "ada@xn--strae-oqa.de",  # another domain than strasse.de, and maybe another's
    "ada@ｅｘａｍｐｌｅ.com": "ada@example.com",
    "ada@acme.test": "ada@acme.test",
    "=1+1@example.com": "=1+1@example.com",
}


def by_api(address):
    return APIClient().post(REGISTER, {"email": address, "password": PASSWORD}).status_code == 201


def by_page(address):
    return APIClient().post("/accounts/signup/", {"email": address, "password": PASSWORD}, format="multipart")


def by_admin(address):
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    staff = APIClient()
    staff.force_login(root)
    given = {"email": address, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    staff.post("/admin/accounts/user/add/", given, format="multipart")


def by_changing_in_admin(address):
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    user = User.objects.create_user("before@example.com")
    staff = APIClient()
    staff.force_login(root)
    given = {"email": address, "language": "", "is_active": "on"}
    staff.post(f"/admin/accounts/user/{user.pk}/change/", given, format="multipart")


def by_command(address):
    try:
        call_command("createsuperuser", email=address, interactive=False, stdout=StringIO())
    except (CommandError, ValueError):
        return


WAYS = [by_api, by_page, by_admin, by_changing_in_admin, by_command]
OTHERS = {"root@example.com", "before@example.com"}


def made():
    return set(User.objects.values_list("email", flat=True)) - OTHERS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_no_way_in_takes_it(way, address):
    way(address)
    assert made() == set()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("address", "stored"), TAKEN.items())
def test_every_way_in_stores_the_same_spelling(way, address, stored):
    way(address)
    assert made() == {stored}


@pytest.mark.parametrize(("address", "stored"), TAKEN.items())
def test_whoever_types_another_spelling_is_the_same_user(address, stored):
    User.objects.create_user(stored, PASSWORD)
    assert APIClient().post(TOKEN, {"email": address, "password": PASSWORD}).status_code == 200
    answer = APIClient().post(REGISTER, {"email": address, "password": PASSWORD})
    assert answer.json()["code"] == "email_taken"


@pytest.mark.parametrize("address", ["ada@Exämple.de", "ada@xn--exmple-cua.de", "ADA@EXÄMPLE.DE"])
def test_a_reset_finds_the_user_by_every_spelling(address):
    User.objects.create_user("ada@exämple.de", PASSWORD)
    User.objects.create_user("ada@example.de", PASSWORD)
    APIClient().post("/accounts/password-reset/", {"email": address}, format="multipart")
    assert [message.to for message in mail.outbox] == [["ada@xn--exmple-cua.de"]]


def test_guesses_at_one_account_are_counted_together_however_its_address_is_spelled():
    User.objects.create_user("ada@example.com", PASSWORD)
    spellings = ["".join(chr(ord(c) + 0xFEE0) if n >> i & 1 else c for i, c in enumerate("example")) for n in range(11)]
    with time_machine.travel("2026-05-10T12:00:00Z", tick=False):
        answers = []
        for name in spellings:
            given = {"email": f"ada@{name}.com", "password": "guess"}
            answers.append(APIClient(REMOTE_ADDR="10.0.0.1").post(TOKEN, given).status_code)
    assert answers == [400] * 10 + [429]


def test_the_api_says_what_to_do():
    answer = APIClient().post(REGISTER, {"email": "ada@deleted.invalid", "password": PASSWORD}).json()
    assert (answer["code"], answer["detail"]) == ("invalid_email", addresses.NOBODYS)


@pytest.mark.parametrize("text", ["", "@", "a@b@c", "x" * 3000, "ada@" + "ä" * 500, "@.", "ada@-.com", "\0", '"'])
def test_a_look_up_by_what_is_no_address_finds_nobody(text):
    assert not User.objects.filter(email=text).exists()
    with pytest.raises(ValidationError):
        addresses.check(text)


# W13: whoever is there first


def closed(user):
    closing.on_account_closed(subscriber=user)
    user.refresh_from_db()
    return user.email


def test_an_account_whose_number_is_known_is_deleted_all_the_same():
    ada = User.objects.create_user("ada@example.com")
    squatted = f"deleted-{ada.pk}@deleted.invalid"
    User(email=squatted).save()  # from before the name was reserved
    assert re.fullmatch(r"deleted-[0-9a-f]{32}@deleted\.invalid", closed(ada))
    assert User.objects.filter(email=squatted).count() == 1


@pytest.mark.postgres
def test_a_name_that_is_taken_is_drawn_again(monkeypatch):
    ada, ben = User.objects.create_user("ada@example.com"), User.objects.create_user("ben@example.com")
    User(email="deleted-one@deleted.invalid").save()
    drawn = iter(["one", "one", "two"])
    monkeypatch.setattr(closing.secrets, "token_hex", lambda size: next(drawn))
    assert closed(ada) == "deleted-two@deleted.invalid"
    ben.refresh_from_db()
    assert ben.email == "ben@example.com"


def test_an_error_about_something_else_is_not_taken_for_a_name_that_is_taken(monkeypatch):
    ada = User.objects.create_user("ada@example.com")

    def refuse(self, *args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(User, "save", refuse)
    with pytest.raises(IntegrityError):
        closing.on_account_closed(subscriber=ada)

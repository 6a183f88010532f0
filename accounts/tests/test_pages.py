"""Signing up, in and out, and choosing a new password."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail

pytestmark = pytest.mark.django_db

User = get_user_model()
PASSWORD = "correct-horse-battery"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com", PASSWORD)


def sign_in(client, **changes):
    return client.post("/accounts/login/", {"username": "ada@example.com", "password": PASSWORD, **changes})


def test_signing_up_signs_in(client):
    answer = client.post("/accounts/signup/", {"email": "Ada@example.com", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/billing/")
    assert client.session["_auth_user_id"] == str(User.objects.get(email="ada@example.com").pk)


def test_signing_up_goes_on_to_where_one_was_going_but_never_to_another_site(client):
    given = {"email": "ada@example.com", "password": PASSWORD}
    assert client.post("/accounts/signup/?next=/billing/checkout?plan=pro", given)["Location"].startswith("/billing/ch")
    client.logout()
    given["email"] = "bob@example.com"
    assert client.post("/accounts/signup/?next=https://evil.example/", given)["Location"] == "/billing/"


def test_signing_up_with_a_taken_address_or_a_weak_password_says_so(client, ada):
    answer = client.post("/accounts/signup/", {"email": "ADA@example.com", "password": PASSWORD})
    assert "already exists" in answer.content.decode()
    answer = client.post("/accounts/signup/", {"email": "bob@example.com", "password": "123"})
    assert "too short" in answer.content.decode()
    assert User.objects.count() == 1


def test_signing_in_and_out(client, ada):
    assert sign_in(client, username="Ada@Example.com")["Location"] == "/billing/"
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_says_so_without_saying_which_was_wrong(client, ada):
    known = sign_in(client, password="wrong").content.decode()
    unknown = sign_in(client, username="bob@example.com").content.decode()
    assert all("Please enter a correct" in page for page in (known, unknown))


def test_who_is_signed_in_is_led_on(client, ada):
    client.force_login(ada)
    assert client.get("/accounts/signup/")["Location"] == "/billing/"
    assert client.get("/accounts/login/")["Location"] == "/billing/"


def test_guessing_is_slowed_down(client, ada):
    with time_machine.travel(datetime(2026, 5, 10, 12, tzinfo=UTC), tick=False):
        answers = [sign_in(client, password=f"guess-{n}") for n in range(11)]
    assert answers[10].status_code == 429
    assert int(answers[10]["Retry-After"]) > 0


def test_a_forgotten_password_is_chosen_anew_by_a_mail_that_leads_to_this_site(client, ada, settings):
    settings.SITE_URL = "https://billing.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    answer = client.post("/accounts/password-reset/", {"email": "ada@example.com"}, headers={"Host": "evil.example"})
    assert answer["Location"] == "/accounts/password-reset/sent/"
    link = re.search(r"https://billing\.example\.com(/accounts/password-reset/\S+)", mail.outbox[0].body).group(1)
    form = client.get(link, follow=True)
    answer = client.post(
        form.redirect_chain[-1][0],
        {"new_password1": "another-horse-9", "new_password2": "another-horse-9"},
        follow=True,
    )
    assert "Your password has been changed" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.check_password("another-horse-9")
    assert "This link no longer works" in client.get(link, follow=True).content.decode()


def test_an_unknown_address_is_answered_alike_and_gets_no_mail(client):
    answer = client.post("/accounts/password-reset/", {"email": "nobody@example.com"})
    assert answer["Location"] == "/accounts/password-reset/sent/"
    assert not mail.outbox


@pytest.mark.parametrize(
    "path", ["signup/", "login/", "password-reset/", "password-reset/sent/", "password-reset/done/"]
)
def test_every_page_opens(client, path):
    answer = client.get(f"/accounts/{path}")
    assert answer.status_code == 200
    assert '<html lang="en" dir="ltr">' in answer.content.decode()


def test_a_page_speaks_one_language_and_it_is_the_browsers(client):
    german = {"Accept-Language": "de-DE,de;q=0.9"}
    page = client.get("/accounts/signup/", headers=german)
    assert "mindestens 8 Zeichen" in page.content.decode()
    assert "Konto anlegen" in page.content.decode()
    assert page["Content-Language"] == "de"
    refused = client.post("/accounts/signup/", {"email": "x", "password": ""}, headers=german).content.decode()
    assert "Geben Sie eine gültige E-Mail-Adresse ein." in refused
    assert "Dieses Feld ist" in refused  # DRF and Django go on in words of their own


def test_the_language_of_ones_mails_is_chosen_on_a_page(client, ada):
    assert client.post("/accounts/language/", {"language": "de"}).url.startswith("/accounts/login/")
    client.force_login(ada)
    assert client.post("/accounts/language/", {"language": "tlh"}).status_code == 200
    page = client.post("/accounts/language/", {"language": "de"}, follow=True)
    assert "in der gewählten Sprache" in page.content.decode()
    ada.refresh_from_db()
    assert ada.language == "de"

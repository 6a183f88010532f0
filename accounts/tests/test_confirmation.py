"""Addresses are confirmed by who has them: not by mail scanners, not by strangers, not for another address."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import confirmation
from billing.tests.conftest import world
from billing.tests.mailing import send_by

__all__ = ["world"]

pytestmark = pytest.mark.django_db
User = get_user_model()

PASSWORD, ANOTHER = "correct-horse-battery", "another-horse-9"
REGISTER, AGAIN = "/api/v1/accounts/register", "/api/v1/accounts/confirmation"


@pytest.fixture(autouse=True)
def confirming(settings):
    settings.ACCOUNTS_CONFIRM_EMAIL = True
    settings.SITE_URL = "https://billing.example.com"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com", PASSWORD)


@pytest.fixture
def ben():
    return User.objects.create_user("ben@example.com", PASSWORD)


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada)
    return client


def path_of(user):
    return confirmation.link(user).removeprefix("https://billing.example.com")


def mailed_path():
    [link] = re.findall(r"https://billing\.example\.com(/accounts/\S+)", mail.outbox[-1].body)
    return link


def is_confirmed(user):
    return User.objects.get(pk=user.pk).has_confirmed_email


def test_signing_up_mails_a_link_that_shows_a_button_which_confirms(client):
    client.post("/accounts/signup/", {"email": "ada@example.com", "password": PASSWORD}, headers={"Host": "testserver"})
    user = User.objects.get()
    assert mail.outbox[0].to == ["ada@example.com"]
    page = client.get(mailed_path())
    assert "Is ada@example.com your address?" in page.content.decode()
    assert not is_confirmed(user)
    assert client.post(mailed_path())["Location"] == "/billing/"
    assert is_confirmed(user)


def test_registering_by_api_mails_it_too_and_me_says_how_it_stands():
    api = APIClient()
    made = api.post(REGISTER, {"email": "ada@example.com", "password": PASSWORD})
    assert (made.json()["email_confirmed"], len(mail.outbox)) == (False, 1)
    confirmation.confirm(User.objects.get())
    api.force_authenticate(User.objects.get())
    assert api.get("/api/v1/accounts/me").json()["email_confirmed"] is True


def test_where_nothing_is_confirmed_nothing_is_mailed_or_asked(client, settings):
    settings.ACCOUNTS_CONFIRM_EMAIL = False
    page = client.post("/accounts/signup/", {"email": "ada@example.com", "password": PASSWORD}, follow=True)
    assert not mail.outbox
    assert "Please confirm" not in page.content.decode()
    assert confirmation.is_confirmed(User.objects.get())


def test_an_account_is_made_though_the_mail_fails(client, settings):
    send_by(settings, "nowhere.at.all")
    client.post("/accounts/signup/", {"email": "ada@example.com", "password": PASSWORD})
    assert not is_confirmed(User.objects.get())
    answer = client.post("/accounts/confirm/", follow=True)
    assert "could not be sent" in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_mail_scanner_that_opens_the_link_confirms_nothing(ada, client, method):
    getattr(client, method)(path_of(ada))
    client.force_login(ada)
    getattr(client, method)(path_of(ada))
    assert not is_confirmed(ada)


def test_the_owner_of_an_address_that_a_stranger_signed_up_with_cannot_be_led_to_confirm_it(ada, ben, client):
    """The victim has the mail and no password: the link asks to log in, and a login of their own does not count."""
    link = path_of(ada)
    assert client.post(link)["Location"].startswith("/accounts/login/")
    client.force_login(ben)
    answer = client.post(link)
    assert (answer.status_code, is_confirmed(ada), is_confirmed(ben)) == (400, False, False)


def test_a_link_without_the_csrf_token_of_the_page_confirms_nothing(ada):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post(path_of(ada)).status_code == 403
    assert not is_confirmed(ada)


def test_a_link_lasts_three_days(ada, as_ada):
    link = path_of(ada)
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=-1)):
        assert as_ada.get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        as_ada.force_login(ada)
        assert as_ada.post(link).status_code == 400
    assert not is_confirmed(ada)


def test_a_link_is_for_its_address_alone(ada, as_ada):
    link = path_of(ada)
    User.objects.update(email="other@example.com")
    assert as_ada.post(link).status_code == 400
    assert not is_confirmed(ada)


@pytest.mark.parametrize("spoil", [lambda link: link[:-3] + "aa/", lambda link: link.replace("-", "_", 1)])
def test_a_link_that_was_tampered_with_confirms_nothing(ada, as_ada, spoil):
    assert as_ada.post(spoil(path_of(ada))).status_code in {400, 404}
    assert not is_confirmed(ada)


def test_neither_link_does_what_the_other_is_for(ada, as_ada):
    """A confirmation is no password reset, though both are signed for the same user."""
    uid, token = path_of(ada).strip("/").split("/")[-2:]
    page = Client().get(f"/accounts/password-reset/{uid}/{token}/", follow=True)
    assert "This link no longer works" in page.content.decode()
    as_ada.post("/accounts/password-reset/", {"email": "ada@example.com"})
    uid, token = re.search(r"password-reset/(\S+)/(\S+)/", mail.outbox[-1].body).groups()
    assert as_ada.post(f"/accounts/confirm/{uid}/{token}/").status_code == 400
    assert not is_confirmed(ada)


# Another address


@pytest.mark.parametrize("way", ["save", "update", "admin"])
def test_another_address_is_not_confirmed_however_it_came_to_be(ada, admin_client, way):
    confirmation.confirm(ada)
    if way == "save":
        ada.email = "new@example.com"
        ada.save()
    elif way == "update":
        User.objects.filter(pk=ada.pk).update(email="new@example.com")
    else:
        page = f"/admin/accounts/user/{ada.pk}/change/"
        given = {"email": "new@example.com", "language": "", "is_active": "on"}
        assert admin_client.post(page, given).status_code == 302
    assert User.objects.get(pk=ada.pk).email == "new@example.com"
    assert not is_confirmed(ada)


def test_the_same_address_in_another_spelling_stays_confirmed(ada):
    confirmation.confirm(ada)
    ada.email = " ADA@Example.COM"
    ada.save()
    assert is_confirmed(ada)


# A password chosen by mail


def test_a_reset_by_mail_confirms_and_ends_what_a_stranger_had_before(ada, client):
    client.force_login(ada)  # the stranger who signed up with the victim's address
    token = APIClient().post("/api/v1/accounts/token", {"email": ada.email, "password": PASSWORD}).json()["token"]
    victim = Client()
    victim.post("/accounts/password-reset/", {"email": ada.email})
    form = victim.get(mailed_path(), follow=True)
    victim.post(form.redirect_chain[-1][0], {"new_password1": ANOTHER, "new_password2": ANOTHER})
    assert is_confirmed(ada)
    assert client.get("/accounts/confirm/")["Location"].startswith("/accounts/login/")
    assert APIClient(headers={"Authorization": f"Token {token}"}).get("/api/v1/accounts/me").status_code == 401


def test_a_reset_whose_password_is_refused_confirms_nothing(ada):
    victim = Client()
    victim.post("/accounts/password-reset/", {"email": ada.email})
    form = victim.get(mailed_path(), follow=True)
    victim.post(form.redirect_chain[-1][0], {"new_password1": "123", "new_password2": "123"})
    assert not is_confirmed(ada)


def test_a_password_set_by_staff_confirms_nothing(ada, admin_client):
    given = {"usable_password": "true", "password1": ANOTHER, "password2": ANOTHER}
    assert admin_client.post(f"/admin/accounts/user/{ada.pk}/password/", given).status_code == 302
    assert not is_confirmed(ada)


# Once more


def test_the_mail_is_sent_again_five_times_an_hour_for_a_mailbox_from_wherever(ada, ben):
    def ask(user, address):
        browser = Client(REMOTE_ADDR=address)
        browser.force_login(user)
        return browser.post("/accounts/confirm/").status_code

    with time_machine.travel("2026-05-10T12:00:00Z", tick=False):
        assert [ask(ada, f"10.0.0.{n}") for n in range(6)] == [302] * 5 + [429]
        assert ask(ben, "10.0.0.1") == 302
    assert [message.to for message in mail.outbox] == [["ada@example.com"]] * 5 + [["ben@example.com"]]


def test_one_place_asks_for_no_more_than_twenty_an_hour():
    users = [User.objects.create_user(f"user{n}@example.com", PASSWORD) for n in range(21)]
    with time_machine.travel("2026-05-10T12:00:00Z", tick=False):
        answers = []
        for user in users:
            api = APIClient()
            api.force_authenticate(user)
            answers.append(api.post(AGAIN).status_code)
    assert answers == [202] * 20 + [429]


def test_who_has_confirmed_gets_no_mail(ada, as_ada):
    confirmation.confirm(ada)
    as_ada.post("/accounts/confirm/")
    api = APIClient()
    api.force_authenticate(User.objects.get(pk=ada.pk))
    assert (api.post(AGAIN).status_code, api.post(AGAIN).json()) == (200, {"status": "confirmed"})
    assert not mail.outbox


def test_a_mail_that_fails_is_told_by_api(ada, settings):
    send_by(settings, "nowhere.at.all")
    api = APIClient()
    api.force_authenticate(ada)
    answer = api.post(AGAIN)
    assert (answer.status_code, answer.json()["code"]) == (503, "mail_not_sent")


def test_a_stranger_has_nothing_mailed(client):
    assert client.post("/accounts/confirm/")["Location"].startswith("/accounts/login/")
    assert APIClient().post(AGAIN).status_code == 401
    assert not mail.outbox


def test_every_page_asks_until_the_address_is_confirmed(ada, as_ada):
    assert "Confirm your e-mail address" in as_ada.get("/").content.decode()
    confirmation.confirm(ada)
    assert "Confirm your e-mail address" not in as_ada.get("/").content.decode()


# What is bought


def test_nothing_is_bought_before_by_api_or_page(ada, as_ada, settings, world):
    settings.BILLING_EMAIL_IS_CONFIRMED = "accounts.confirmation.is_confirmed"
    api = APIClient()
    api.force_authenticate(ada)
    refused = api.post("/api/v1/subscriptions/checkout", {"plan": "pro", "interval": "month"})
    assert (refused.status_code, refused.json()["code"]) == (403, "email_unconfirmed")
    assert "Open the link" in refused.json()["detail"]
    page = as_ada.post("/billing/checkout", {"plan": "pro", "interval": "month"})
    assert (page.status_code, "is not confirmed yet" in page.content.decode()) == (403, True)
    assert world.stripe("GET", "customers")["data"] == []
    as_ada.post(path_of(ada))
    api.force_authenticate(User.objects.get(pk=ada.pk))
    assert api.post("/api/v1/subscriptions/checkout", {"plan": "pro", "interval": "month"}).status_code == 201

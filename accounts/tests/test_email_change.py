"""Users change their address, password and sessions; a stranger, an old link and a taken address change nothing."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import email_change
from accounts.models import LoginSession
from billing.models import StripeWrite
from billing.tests.conftest import world

__all__ = ["world"]

pytestmark = pytest.mark.django_db
User = get_user_model()
PASSWORD, NEW = "correct-horse-battery", "new@example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def here(settings):
    settings.SITE_URL = "https://billing.example.com"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com", PASSWORD)


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada)
    return client


def ask(client, email=NEW, password=PASSWORD):
    return client.post("/accounts/email/", {"email": email, "password": password})


def mailed_path():
    [link] = re.findall(r"https://billing\.example\.com(/accounts/\S+)", mail.outbox[-1].body)
    return link


def address_of(user):
    return User.objects.get(pk=user.pk).email


def test_the_new_address_is_confirmed_there_and_the_old_one_is_told(as_ada, ada):
    assert ask(as_ada).url == "/accounts/"
    assert [message.to for message in mail.outbox] == [[NEW]]
    path = mailed_path()
    assert NEW in as_ada.get(path).content.decode()
    assert address_of(ada) == "ada@example.com", "opening the link changes nothing: mail scanners do that too"
    assert as_ada.post(path).url == "/accounts/"
    changed = User.objects.get(pk=ada.pk)
    assert (changed.email, changed.has_confirmed_email) == (NEW, True)
    assert mail.outbox[-1].to == ["ada@example.com"]
    assert NEW in mail.outbox[-1].body
    assert as_ada.post(path).status_code == 400, "the link works once"
    assert Client().login(username=NEW, password=PASSWORD)


def test_stripe_is_told_of_the_new_address(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    ask(client)
    client.post(mailed_path())
    assert StripeWrite.objects.filter(lane=ada.customer, action="update_customer").exists()


def test_a_wrong_password_and_a_taken_address_send_no_link(as_ada):
    User.objects.create_user("ben@example.com", PASSWORD)
    assert "This is not your password." in ask(as_ada, password="nope-nope-1").content.decode()
    assert "already exists" in ask(as_ada, "BEN@example.com").content.decode()
    assert "your address already" in ask(as_ada, "ada@example.com").content.decode()
    assert "Enter a valid" in ask(as_ada, "no address").content.decode()
    assert mail.outbox == []


def test_who_asks_for_many_addresses_learns_of_few_whether_they_are_taken(as_ada):
    User.objects.create_user("ben@example.com", PASSWORD)
    asked = {"email": "ben@example.com", "password": "wrong"}
    answers = [as_ada.post("/accounts/email/", asked).status_code for _ in range(62)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_the_link_is_nothing_to_a_stranger_after_days_or_under_another_password(as_ada, ada, client):
    ask(as_ada)
    path = mailed_path()
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve@example.com", PASSWORD))
    assert stranger.post(path).status_code == 400
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        assert not email_change.asked_by(ada, path.split("/")[3])
    ada.set_password("another-horse-9")
    ada.save()
    assert not email_change.asked_by(ada, path.split("/")[3])
    assert address_of(ada) == "ada@example.com"


def test_an_address_that_somebody_took_meanwhile_stays_theirs(as_ada, ada):
    ask(as_ada)
    ben = User.objects.create_user(NEW, PASSWORD)
    assert as_ada.post(mailed_path()).url == "/accounts/email/"
    assert (address_of(ada), address_of(ben)) == ("ada@example.com", NEW)


def test_a_new_password_ends_other_sessions_and_keeps_this_one(as_ada, ada):
    other = Client()
    other.force_login(ada)
    answer = as_ada.post("/accounts/password/", {"password": PASSWORD, "new_password": "another-horse-9"})
    assert answer.url == "/accounts/"
    assert as_ada.get("/accounts/").status_code == 200
    assert other.get("/accounts/").status_code == 302
    assert User.objects.get(pk=ada.pk).check_password("another-horse-9")


def test_a_weak_password_and_a_wrong_one_change_nothing(as_ada, ada):
    as_ada.post("/accounts/password/", {"password": PASSWORD, "new_password": "123"})
    as_ada.post("/accounts/password/", {"password": "nope-nope-1", "new_password": "another-horse-9"})
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_sessions_are_listed_by_their_browser_and_end_when_revoked(as_ada, ada):
    other = Client(headers={"User-Agent": FIREFOX})
    assert other.post("/accounts/login/", {"username": ada.email, "password": PASSWORD}).status_code == 302
    page = as_ada.get("/accounts/sessions/").content.decode()
    assert "Firefox, Linux" in page
    assert "This browser" in page
    row = LoginSession.objects.get(browser="Firefox, Linux")
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve@example.com", PASSWORD))
    assert stranger.post(f"/accounts/sessions/{row.pk}/end/").status_code == 404
    assert other.get("/accounts/").status_code == 200
    as_ada.post(f"/accounts/sessions/{row.pk}/end/")
    assert other.get("/accounts/").status_code == 302
    assert "Firefox, Linux" not in as_ada.get("/accounts/sessions/").content.decode()
    assert as_ada.get("/accounts/").status_code == 200


def test_ones_own_data_is_a_file_with_no_secret_in_it(as_ada, ada):
    answer = as_ada.get("/accounts/data/")
    found = json.loads(answer.content)
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert found["account"]["email"] == "ada@example.com"
    assert found["subscriptions"] == []
    assert ada.password not in answer.content.decode()
    assert as_ada.session.session_key not in answer.content.decode()
    assert Client().get("/accounts/data/").status_code == 302

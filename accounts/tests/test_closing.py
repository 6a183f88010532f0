"""Leaving by API, page and admin: locked out at once, anonymous once Stripe has confirmed, and nobody else touched."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import SetPasswordForm
from rest_framework.test import APIClient

from accounts import confirmation, tokens
from accounts.models import ApiToken
from billing import testing
from billing.events import sweep
from billing.tests.conftest import world

__all__ = ["world"]
pytestmark = pytest.mark.django_db(transaction=True)

ME, TOKEN, REGISTER = (f"/api/v1/accounts/{name}" for name in ("me", "token", "register"))
PASSWORD = "correct-horse-battery"
User = get_user_model()


@pytest.fixture
def ada(world):
    return world.subscribed().user


def api(token="", **headers):
    return APIClient(headers={"Authorization": f"Token {token}"} if token else {}, **headers)


def token_of(user):
    return tokens.issue(user, "laptop")


def delete(token, password=PASSWORD):
    answer = api(token).delete(ME, {"password": password})
    return answer.status_code, answer.json() if answer.content else None


def test_it_is_202_until_stripe_has_confirmed_and_then_204(world, ada):
    token = token_of(ada)
    with world.writes_failing():
        assert delete(token) == (202, {"status": "closing"})
        testing.work()
        assert delete(token) == (202, {"status": "closing"})
    ada.billing_deletion.__class__.objects.update(next_attempt_at=None)
    sweep.sweep()
    testing.work()
    assert delete(token) == (204, None)


def test_the_account_is_locked_from_the_first_answer_on(world, ada, client):
    client.force_login(ada)
    token = token_of(ada)
    delete(token)
    assert api(token).get(ME).status_code == 401
    assert api(token).get("/api/v1/subscriptions/current").status_code == 401
    assert client.get("/billing/")["Location"].startswith("/accounts/login/")
    assert not client.login(email="ada@example.com", password=PASSWORD)
    assert not ApiToken.objects.current().exists()


def test_the_user_is_anonymous_and_the_address_free_again(world, ada):
    delete(token_of(ada))
    assert api().post(REGISTER, {"email": "ada@example.com", "password": PASSWORD}).json()["code"] == "email_taken"
    testing.work()
    ada.refresh_from_db()
    assert re.fullmatch(r"deleted-[0-9a-f]{32}@deleted\.invalid", ada.email)
    assert str(ada.pk.hex) not in ada.email
    assert (ada.is_active, ada.has_usable_password(), ada.confirmed_email) == (False, False, "")
    assert api().post(REGISTER, {"email": "ada@example.com", "password": PASSWORD}).status_code == 201


def test_a_wrong_or_missing_password_deletes_nothing(world, ada):
    token = token_of(ada)
    assert delete(token, "wrong")[1]["code"] == "bad_credentials"
    assert api(token).delete(ME, {}).json()["code"] == "invalid_request"
    assert api(token).get(ME).status_code == 200


def test_a_strangers_token_or_none_reaches_nothing(world, ada):
    charlie = User.objects.create_user("charlie@example.com", "another-horse-9")
    assert delete(token_of(charlie), PASSWORD)[0] == 400
    assert delete("0" * 40)[0] == 401
    assert delete("")[0] == 401
    assert api(token_of(charlie)).get(ME).json()["email"] == "charlie@example.com"
    assert api("0" * 40).get(ME).status_code == 401
    assert delete(token_of(charlie), "another-horse-9")[0] == 202
    testing.work()
    ada.refresh_from_db()
    assert (ada.is_active, ada.email) == (True, "ada@example.com")


def test_the_page_asks_for_the_password_and_signs_out(world, ada, client):
    assert client.get("/accounts/delete/")["Location"].startswith("/accounts/login/")
    client.force_login(ada)
    assert "This cannot be undone" in client.get("/accounts/delete/").content.decode()
    assert "Nothing was deleted" in client.post("/accounts/delete/", {"password": "wrong"}).content.decode()
    answer = client.post("/accounts/delete/", {"password": PASSWORD}, follow=True)
    assert "Your account is being deleted" in answer.content.decode()
    assert "_auth_user_id" not in client.session
    testing.work()
    ada.refresh_from_db()
    assert ada.email.endswith("@deleted.invalid")


def test_deleting_a_user_in_the_admin_goes_the_same_way(world, ada, admin_client):
    page = admin_client.get(f"/admin/accounts/user/{ada.pk}/delete/").content.decode()
    assert "Their subscriptions at Stripe are cancelled" in page
    answer = admin_client.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"}, follow=True)
    assert "The account is being deleted" in answer.content.decode()
    testing.work()
    ada.refresh_from_db()
    assert ada.email.endswith("@deleted.invalid")


def test_a_password_chosen_while_the_account_is_deleted_brings_nothing_back(world, ada):
    """Hashing takes long: the deletion is done between reading and writing the row."""
    bystander = User.objects.create_user("ben@example.com", PASSWORD)
    chosen = {"new_password1": "new-horse-77", "new_password2": "new-horse-77"}
    form = SetPasswordForm(User.objects.get(pk=ada.pk), chosen)
    assert form.is_valid()
    token, email = token_of(ada), ada.email
    assert delete(token)[0] == 202
    testing.work()
    assert delete(token)[0] == 204
    confirmation.confirm(form.save())
    ada.refresh_from_db()
    assert ada.email.endswith("@deleted.invalid")
    assert (ada.is_active, ada.confirmed_email) == (False, "")
    assert not User.objects.filter(email=email).exists()
    bystander.refresh_from_db()
    assert bystander.is_active

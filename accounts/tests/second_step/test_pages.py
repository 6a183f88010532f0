"""Staff pass a second step: codes by the wall clock, recovery codes once each, failures counted."""

import re
from base64 import b32decode
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.second_step import codes, rules

pytestmark = pytest.mark.django_db

User = get_user_model()
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
STEP, SETUP, APP = "/accounts/second-step/", "/accounts/second-step/setup/", "/accounts/second-step/app/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def enforced(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.com", PASSWORD)


@pytest.fixture
def app(root):
    """An app that root has added, and its key."""
    return TOTPDevice.objects.create(user=root, name="Authenticator app")


def code_of(device):
    """Return what the app shows now."""
    return f"{totp(device.bin_key, t0=0, digits=6):06}"


def wrong(device):
    return f"{(int(code_of(device)) + 1) % 10**6:06}"


def sign_in(client=None, path="/admin/", address="10.0.0.1"):
    client = client or Client(REMOTE_ADDR=address)
    given = {"username": "root@example.com", "password": PASSWORD, "next": path}
    assert client.post(f"/admin/login/?next={path}", given).status_code == 302
    return client


def step(client, code):
    return client.post(f"{STEP}?next=/admin/accounts/user/", {"code": code})


def is_inside(client):
    return client.get("/admin/").status_code == 200


def test_without_the_setting_a_password_is_enough_for_who_has_no_second_step(root):
    assert is_inside(sign_in())


def test_with_the_setting_staff_are_led_to_add_one_before_any_page_of_the_admin(enforced, root):
    client = sign_in()
    for path in ("/admin/", "/admin/accounts/user/", "/admin/password_change/", "/admin/billing/customer/"):
        page = client.get(path, follow=True)
        assert page.redirect_chain[-1][0] == f"{SETUP}?next={path.replace('/', '%2F')}"
        assert "Add one to continue" in page.content.decode()
    assert client.post(f"/admin/accounts/user/{root.pk}/delete/", {"post": "yes"}).status_code == 302
    assert User.objects.get().is_active


def test_who_has_one_passes_it_also_where_nobody_has_to(root, app):
    client = sign_in()
    page = client.get("/admin/accounts/user/", follow=True)
    assert page.redirect_chain[-1][0] == f"{STEP}?next=%2Fadmin%2Faccounts%2Fuser%2F"
    assert step(client, wrong(app)).status_code == 200
    assert not is_inside(client)
    assert step(client, code_of(app))["Location"] == "/admin/accounts/user/"
    assert is_inside(client)


def test_the_step_leads_to_no_other_site(root, app):
    answer = sign_in().post(f"{STEP}?next=https://evil.example/", {"code": code_of(app)})
    assert answer["Location"] == "/admin/"


def test_an_app_is_added_by_its_picture_or_key_and_the_first_code(enforced, root):
    client = sign_in()
    page = client.get(f"{APP}?next=/admin/").content.decode()
    assert 'src="data:image/svg+xml' in page
    key = b32decode(re.search(r"<code>([A-Z2-7 ]+)</code>", page).group(1).replace(" ", ""))
    right = f"{totp(key, t0=0, digits=6):06}"
    assert client.post(APP, {"code": f"{(int(right) + 1) % 10**6:06}"}).status_code == 200
    assert not rules.has_factor(root)
    page = client.post(APP, {"code": f"{right[:3]} {right[3:]}"}, follow=True)
    assert "You have no recovery codes" in page.content.decode()
    assert is_inside(client)


def shown_key(page):
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode())
    return b32decode(shown.group(1).replace(" ", ""))


def test_who_has_only_the_password_never_sees_the_key_that_the_owner_will_add(root):
    thief, owner = sign_in(address="10.0.0.66"), sign_in()
    stolen, key = shown_key(thief.get(APP)), shown_key(owner.get(APP))
    assert stolen != key
    assert shown_key(owner.get(APP)) == key, "one session goes on with one key"
    assert owner.post(APP, {"code": f"{totp(key, t0=0, digits=6):06}"}).status_code == 302
    assert thief.post(APP, {"code": f"{totp(stolen, t0=0, digits=6):06}"})["Location"].startswith(STEP)
    assert [device.bin_key for device in TOTPDevice.objects.filter(user=root)] == [key]


def test_keys_left_over_from_other_sessions_do_not_break_the_page(root):
    bystander = TOTPDevice.objects.create(user=User.objects.create_superuser("ben@example.com"), confirmed=False)
    for _ in range(2):
        TOTPDevice.objects.create(user=root, confirmed=False)
    client = sign_in()
    key = shown_key(client.get(APP))
    assert client.post(APP, {"code": f"{totp(key, t0=0, digits=6):06}"}).status_code == 302
    assert TOTPDevice.objects.filter(user=root).count() == 1
    assert TOTPDevice.objects.filter(pk=bystander.pk).exists()


def test_a_right_code_of_one_app_does_not_slow_another_device(root, app):
    second = TOTPDevice.objects.create(user=root, name="Second app")
    kept = codes.renew(root)[0]
    for _ in range(3):
        assert step(sign_in(), code_of(second)).status_code == 302
        TOTPDevice.objects.filter(pk=second.pk).update(last_t=-1)
    assert step(sign_in(), kept).status_code == 302
    assert step(sign_in(), code_of(app)).status_code == 302


@pytest.mark.parametrize(("seconds", "is_taken"), [(0, True), (30, True), (-30, True), (90, False), (-90, False)])
def test_a_code_works_at_its_time_by_the_wall_clock(clock, root, app, seconds, is_taken):
    shown = code_of(app)
    clock.shift(timedelta(seconds=seconds))
    client = sign_in()
    assert step(client, shown).status_code == (302 if is_taken else 200)
    assert is_inside(client) is is_taken


def test_a_code_works_once(root, app):
    assert step(sign_in(), code_of(app)).status_code == 302
    assert step(sign_in(), code_of(app)).status_code == 200


def test_another_persons_code_is_none(root, app):
    ben = User.objects.create_superuser("ben@example.com", PASSWORD)
    device = TOTPDevice.objects.create(user=ben)
    assert step(sign_in(), code_of(device)).status_code == 200


def test_recovery_codes_are_shown_once_work_once_and_are_kept_as_digests(root, app):
    client = sign_in()
    step(client, code_of(app))
    shown = re.findall(r"<code>([a-z2-7-]{19})</code>", client.post(f"{STEP}recovery/").content.decode())
    assert len(set(shown)) == 10
    assert not {code.replace("-", "") for code in shown} & set(StaticToken.objects.values_list("token", flat=True))
    other = sign_in()
    assert step(other, shown[0].upper()).status_code == 302
    assert is_inside(other)
    assert step(sign_in(), shown[0]).status_code == 200
    assert codes.left(root) == 9
    client.post(f"{STEP}recovery/")
    assert step(sign_in(), shown[1]).status_code == 200


def test_whoever_came_in_by_a_recovery_code_stays_in_when_they_make_new_ones(root, app):
    [code, *_] = codes.renew(root)
    client = sign_in()
    step(client, code)
    assert client.post(f"{STEP}recovery/").status_code == 200
    assert is_inside(client)


SHAPES = [b"", b"[]", b"null", b"7", b"{}", b'"x"', b'{"id": {"id": 1}, "rawId": []}']
BODIES = [*SHAPES, b"\xff", b"{", b"[" * 5000, b"NaN"]


@pytest.mark.parametrize("body", BODIES)
def test_a_passkeys_door_answers_any_body_by_a_refusal(root, body):
    client = sign_in()
    for begin, complete in (("add/begin/", "add/"), ("begin/", "")):
        client.post(f"{STEP}passkey/{begin}", {}, "application/json")
        answer = client.post(f"{STEP}passkey/{complete}", body, "application/json")
        assert 400 <= answer.status_code < 500
    assert not rules.has_factor(root)


def test_recovery_codes_go_with_the_last_factor(root, app):
    second = TOTPDevice.objects.create(user=root)
    client = sign_in()
    step(client, code_of(app))
    client.post(f"{STEP}recovery/")
    client.post(f"{STEP}remove/", {"factor": second.persistent_id})
    assert codes.left(root) == 10
    client.post(f"{STEP}remove/", {"factor": app.persistent_id})
    assert (codes.left(root), rules.has_factor(root)) == (0, False)


def test_a_password_alone_neither_adds_nor_removes_nor_makes_recovery_codes(root, app):
    client = sign_in()
    assert client.get(SETUP)["Location"].startswith(STEP)
    assert client.get(APP)["Location"].startswith(STEP)
    for path, given in (
        (APP, {"code": "1"}),
        (f"{STEP}recovery/", {}),
        (f"{STEP}remove/", {"factor": app.persistent_id}),
    ):
        assert client.post(path, given)["Location"].startswith(STEP)
    for name in ("passkey/add/begin/", "passkey/add/"):
        assert client.post(f"{STEP}{name}", {}, "application/json").status_code in (403, 401)
    assert [device.confirmed for device in TOTPDevice.objects.all()] == [True]
    assert not StaticToken.objects.exists()


def test_nobody_removes_anothers(root, app):
    ben = User.objects.create_superuser("ben@example.com", PASSWORD)
    device = TOTPDevice.objects.create(user=ben)
    client = sign_in()
    step(client, code_of(app))
    assert client.post(f"{STEP}remove/", {"factor": device.persistent_id}).status_code == 404
    assert rules.has_factor(ben)


def test_codes_are_guessed_ten_times_a_minute_from_everywhere_together(clock, root, app):
    answers = [step(sign_in(address=f"10.0.0.{n}"), wrong(app)).status_code for n in range(11)]
    assert answers == [200] * 10 + [429]
    refused = step(sign_in(address="10.9.9.9"), code_of(app))
    assert 0 < int(refused["Retry-After"]) <= 60
    clock.shift(timedelta(seconds=60))
    assert step(sign_in(address="10.9.9.9"), code_of(app)).status_code == 302


def test_a_browser_that_has_passed_is_not_slowed_by_who_has_stolen_the_password(root, app, clock):
    browser = Client()
    step(sign_in(browser), code_of(app))
    browser.post("/accounts/logout/")
    for n in range(11):
        step(sign_in(address=f"10.0.0.{n}"), wrong(app))
    clock.shift(timedelta(seconds=30))
    assert step(sign_in(browser), code_of(app)).status_code == 302


def test_a_password_alone_makes_no_browser_known(root, app):
    client = sign_in()
    assert not [name for name in client.cookies if name.startswith("device_")]
    step(client, code_of(app))
    assert [name for name in client.cookies if name.startswith("device_")]


def test_the_pages_are_for_staff(root):
    stranger = Client()
    assert stranger.get(SETUP)["Location"].startswith("/accounts/login/")
    stranger.force_login(User.objects.create_user("ada@example.com", PASSWORD))
    for path in (STEP, SETUP, APP):
        assert stranger.get(path).status_code == 403
    for name in ("add/begin/", "add/", "begin/", ""):
        assert stranger.post(f"{STEP}passkey/{name}", {}, "application/json").status_code == 403


def test_a_superuser_removes_a_colleagues_and_it_is_logged(root, app):
    ben = User.objects.create_superuser("ben@example.com", PASSWORD)
    device = TOTPDevice.objects.create(user=ben)
    client = sign_in()
    step(client, code_of(app))
    page = client.get(f"/admin/accounts/user/{ben.pk}/change/").content.decode()
    [path] = re.findall(r'href="([^"]+)">Remove it', page)
    assert "Talk to them" in client.get(path).content.decode()
    assert rules.has_factor(ben)
    client.post(path)
    assert (rules.has_factor(ben), rules.has_factor(root)) == (False, True)
    assert not TOTPDevice.objects.filter(pk=device.pk).exists()
    assert "second step" in LogEntry.objects.get().change_message


def test_nobody_but_a_superuser_removes_anothers_by_the_admin(root, app):
    bob = User.objects.create_user("bob@example.com", PASSWORD, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(bob)
    assert client.post(f"/admin/accounts/user/{root.pk}/second-step/remove/").status_code == 403
    assert rules.has_factor(root)


def test_a_session_whose_factor_was_removed_has_passed_nothing(enforced, root, app):
    client = sign_in()
    step(client, code_of(app))
    app.delete()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith(SETUP)


def test_the_admin_shows_no_keys(root):
    client = sign_in()
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert client.get("/admin/otp_static/staticdevice/").status_code == 404
    assert client.get("/admin/django_otp_webauthn/webauthncredential/").status_code == 404

"""Staff add and use an app and a passkey in Chromium, with its virtual authenticator; light, dark and on a phone."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import expect

from billing.tests.browser import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
LOOKS = {"light": {}, "dark": {"dark": True}, "phone": {"phone": True, "dark": True}}


@pytest.fixture
def enter(live_server, browse, settings):
    settings.STAFF_SECOND_FACTOR = True
    settings.OTP_WEBAUTHN_RP_ID = "localhost"
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [f"http://localhost:{urlsplit(live_server.url).port}"]
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)

    def staff(host="localhost", **look):
        page = browse(f"http://{host}:{urlsplit(live_server.url).port}/admin/", **look)
        sign_in(page)
        return page

    return staff


def sign_in(page):
    page.locator("#id_username").fill("root@example.com")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def plug_in(page, **options):
    """A security key that belongs to this browser, and touches itself."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    kind |= {"isUserVerified": True, "automaticPresenceSimulation": True, **options}
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": kind})["authenticatorId"]


def is_inside(page):
    expect(page.get_by_role("heading", name="Staff", level=1)).to_be_visible()


def log_out(page):
    page.goto("/billing/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/admin/")


@pytest.mark.parametrize("look", LOOKS)
def test_a_passkey_is_added_and_then_asked_for(enter, shoot, look):
    page = enter(**LOOKS[look])
    plug_in(page)
    page.get_by_role("button", name="A passkey").click()
    expect(page.get_by_text("Passkey, added")).to_be_visible()
    page.get_by_role("link", name="Continue to the admin").click()
    is_inside(page)
    log_out(page)
    sign_in(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.goto("/admin/accounts/user/")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    shoot(page, f"second-step-pass-passkey-{look}")
    assert accessibility.problems(page) == []
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/admin/accounts/user/")
    expect(page.get_by_role("heading", name="Select user to change")).to_be_visible()
    assert WebAuthnCredential.objects.get().sign_count > 0


def test_another_authenticator_is_refused_and_the_page_says_so(enter):
    page = enter()
    session, authenticator = plug_in(page)
    page.get_by_role("button", name="A passkey").click()
    expect(page.get_by_text("Passkey, added")).to_be_visible()
    # The same device adds no second one.
    page.get_by_role("button", name="A passkey").click()
    expect(page.get_by_text("has a passkey for your account already")).to_be_visible()
    log_out(page)
    sign_in(page)
    # Its key is replaced by another under the same name, as a forger would.
    [held] = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    session.send("WebAuthn.removeCredential", {"authenticatorId": authenticator, "credentialId": held["credentialId"]})
    forged = held | {"privateKey": FORGED}
    session.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": forged})
    # Chromium notes each refusal a script is given as an error; at an address that was visited `browse` lets it pass.
    page.route("**/passkey/?next=*", lambda route: route.fulfill(body="visited"), times=1)
    page.goto("/accounts/second-step/passkey/?next=%2Fadmin%2F")
    page.goto("/accounts/second-step/?next=%2Fadmin%2F")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_text("did not accept this passkey")).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()


# An EC key of P-256, made for this test.
FORGED = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyQHMnie+0NZ8xL+pun31mUF6CUdT/Bh9lagtAR12xG6h"
    "RANCAAQCIk5t62EWvSLdsegjsm1Fg1mQbvrQNBGpkY7THEa3wx7cX+zJJU0b3caV4y94rzBUeHblVAB5YFoI7OJ4A/6K"
)


def test_passkeys_are_not_offered_where_browsers_refuse_them(enter):
    page = enter(host="127.0.0.1")
    expect(page.get_by_text("Passkeys only work at this site's own host name")).to_be_visible()
    expect(page.get_by_role("button", name="A passkey")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_an_app_is_added_and_then_asked_for(enter, shoot, look):
    page = enter(**LOOKS[look])

    def see(name):
        shoot(page, f"second-step-{name}-{look}")
        assert (name, accessibility.problems(page)) == (name, [])

    see("setup-empty")
    page.get_by_role("link", name="An authenticator app").click()
    see("app")
    device = TOTPDevice.objects.get()
    page.get_by_label("Code shown in your app").fill("000000" if code(device) != "000000" else "111111")
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_text("This code is wrong or expired")).to_be_visible()
    see("app-wrong")
    page.get_by_label("Code shown in your app").fill(code(device))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_text("Authenticator app, added")).to_be_visible()
    see("setup")
    page.get_by_role("button", name="Create new recovery codes").click()
    see("recovery")
    recovery = page.locator("main code").first.inner_text()
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_text("You have 10 recovery codes left")).to_be_visible()
    log_out(page)
    sign_in(page)
    see("pass")
    page.get_by_label("Code from your app").fill(recovery)
    page.get_by_role("button", name="Continue").click()
    is_inside(page)


def code(device):
    return f"{totp(device.bin_key, t0=0, digits=6):06}"


def test_an_app_is_added_without_javascript(enter):
    page = enter(javascript=False)
    page.get_by_role("link", name="An authenticator app").click()
    page.get_by_label("Code shown in your app").fill(code(TOTPDevice.objects.get()))
    page.get_by_role("button", name="Add the app").click()
    page.get_by_role("link", name="Continue to the admin").click()
    is_inside(page)

"""A host that is closed by default (LoginRequiredMiddleware), under a content security policy, on uvicorn.

On Django 6 the policy is Django's own (SECURE_CSP); on 5.2 it is django-csp's.
"""

import json
import re
from urllib.request import urlopen

import django
import pytest
import requests

from billing import mailer
from billing.tests.beside import installed_beside
from billing.tests.processes import until

from . import recipe
from .browsing import Person

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

CLOSED = """
MIDDLEWARE += ["django.contrib.auth.middleware.LoginRequiredMiddleware"]
"""
POLICY = """
SELF = "'self'"
POLICY = {{
    "default-src": [SELF],
    "img-src": [SELF, "data:"],
    "object-src": ["'none'"],
    "frame-ancestors": ["'none'"],
    "form-action": [SELF, {stripe}],
}}
"""
OF_DJANGO = """
MIDDLEWARE += ["django.middleware.csp.ContentSecurityPolicyMiddleware"]
SECURE_CSP = POLICY
"""
OF_DJANGO_CSP = """
INSTALLED_APPS += ["csp"]
MIDDLEWARE += ["csp.middleware.CSPMiddleware"]
CONTENT_SECURITY_POLICY = {"DIRECTIVES": POLICY}
"""
MAIL = f"vars().update({mailer.mail_settings(mailer.CONSOLE)!r})"
# What an event's way is through all of the host's middleware, and what is left open on purpose.
OPEN = ("/", "/healthz", "/readyz", "/metrics", "/api/v1/plans")
CLOSED_TO_STRANGERS = ("/billing/", "/billing/change", "/billing/packs/return?session_id=x", "/report/")
SAID = """
from django.contrib.auth.models import User
from billing.access import has_access
from billing.models import StripeEvent

waiting = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).count()
print(has_access(User.objects.get(username="ada"), plan="pro"), has_access(User.objects.get(username="ben")), waiting)
"""
PEOPLE = """
from django.contrib.auth.models import User

User.objects.create_user("ada", "ada@example.com", "correct-horse-battery")
User.objects.create_user("ben", "ben@example.com", "correct-horse-battery")
"""


@pytest.fixture(scope="module")
def shop(host):
    """All of getting-started.md in a project that had middleware, policy and server already."""
    host.beside.append(installed_beside("uvicorn", "uvicorn", "h11", "click"))
    own = OF_DJANGO if django.VERSION >= (6, 0) else OF_DJANGO_CSP
    host.add("mysite/settings.py", CLOSED + POLICY.format(stripe='"https://checkout.stripe.com"') + own + MAIL)
    host.add_all(recipe.for_a_new_project())
    host.manage("setup")
    host.run(PEOPLE)
    for command in recipe.commands():
        match command[0]:
            case "setup" | "createsuperuser":
                pass
            case "runserver":
                served = ["uvicorn", "mysite.asgi:application", "--port", str(host.web_port), "--lifespan", "off"]
                host.serve_python("web", "-m", *served, ready=f"{host.url}/healthz")
            case _:
                host.follow(*command)
    return host


def test_a_policy_that_keeps_buyers_from_stripe_is_named_and_mended_as_it_says(shop):
    said = shop.manage_all("check")
    assert "billing.W009" in said
    missing = re.search(r"Add to form-action: (\S+)\.", said)[1]
    shop.add("mysite/settings.py", f'POLICY["form-action"] += ["{missing}"]')
    assert "no issues" in shop.manage("check")


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_on_purpose_stays_open(shop, path):
    answer = requests.get(f"{shop.url}{path}", allow_redirects=False, timeout=30)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", CLOSED_TO_STRANGERS)
def test_a_stranger_is_led_to_the_login(shop, path):
    answer = requests.get(f"{shop.url}{path}", allow_redirects=False, timeout=30)
    assert (answer.status_code, "/accounts/login/?next=" in answer.headers["Location"]) == (302, True)


def test_an_event_without_a_signature_is_refused_and_not_led_to_the_login(shop):
    answer = requests.post(f"{shop.url}/api/v1/webhooks/stripe", b"{}", allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")


def test_the_doctor_posts_an_event_through_all_of_it(shop):
    assert "passes all middleware and is stored" in " ".join(shop.doctor().split())


def test_who_presses_a_button_without_a_session_logs_in_pays_and_comes_back_and_webhooks_arrive(shop):
    ada = Person()
    ada.log_in(f"{shop.url}/billing/", "ada", "correct-horse-battery")
    ada.open(f"{shop.url}/")
    ada.lose_session()
    ada.submit("/billing/checkout")
    assert "/accounts/login/" in ada.page.url
    ada.submit(username="ada", password="correct-horse-battery")
    assert "/billing/checkout" in ada.page.url
    ada.submit("/billing/checkout")
    ada.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    assert ada.heading == "Welcome to Pro"
    until(lambda: shop.run(SAID) == "True False 0", seconds=60, what="events of a closed host applied")


def test_pages_need_nothing_that_the_policy_forbids(shop):
    ada = Person()
    ada.log_in(f"{shop.url}/billing/", "ada", "correct-horse-battery")
    for path in ("/", "/billing/", "/billing/change", "/billing/cancel", "/billing/packs", "/billing/invoices"):
        page = ada.open(f"{shop.url}{path}")
        assert page.status_code == 200, path
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text), path


def test_readiness_is_told_by_the_worker_too(shop):
    assert json.loads(urlopen(f"{shop.url}/readyz", timeout=30).read())["status"] == "ready"

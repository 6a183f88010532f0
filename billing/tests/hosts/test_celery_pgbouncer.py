"""A host has allauth for its people, Celery for its tasks, and PgBouncer in transaction mode before its database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from billing import mailer
from billing.tests.beside import installed_beside
from billing.tests.pgbouncer import needs_pgbouncer, pgbouncer
from billing.tests.processes import until
from billing.tests.redis_server import Redis, needs_redis

from . import recipe
from .browsing import Person

pytest.importorskip("celery", reason="no Celery here: pip install celery")
pytestmark = [pytest.mark.postgres_only, pytest.mark.slow, needs_pgbouncer, needs_redis]

QUEUES = recipe.PAGE.with_name("queues.md")
# As allauth's own quickstart has it.
ALLAUTH = """
INSTALLED_APPS += ["allauth", "allauth.account"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
"""
ALLAUTH_URLS = """
from django.urls import include

urlpatterns += [path("accounts/", include("allauth.urls"))]
"""
POOLED = """
from billing.hosting import POSTGRESQL_OPTIONS

DATABASES["default"] |= {{"HOST": "127.0.0.1", "PORT": {port}, "DISABLE_SERVER_SIDE_CURSORS": True}}
DATABASES["default"]["OPTIONS"] = POSTGRESQL_OPTIONS
"""
MAIL = f"vars().update({mailer.mail_settings(mailer.CONSOLE)!r})"
WITHOUT_DJANGO_Q2 = """
INSTALLED_APPS.remove("django_q")
LOGIN_URL = "account_login"
"""
WHO_HAS_ACCESS = """
from django.contrib.auth.models import User
from billing.access import has_access

print(*(user.email.partition("@")[0] for user in User.objects.order_by("email") if has_access(user, plan="pro")))
"""
WHAT_WAITS = """
from billing.models import StripeEvent

print(StripeEvent.objects.exclude(status__in=["processed", "ignored"]).count(), StripeEvent.objects.count() > 0)
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pool():
    known = connection.settings_dict
    with pgbouncer(known["OPTIONS"].get("host") or known["HOST"], known["USER"]) as port:
        yield port


@pytest.fixture(scope="module")
def shop(host, pool, broker):
    """The host's own project first; then getting-started.md, and queues.md for Celery; served by all its processes."""
    host.beside.append(installed_beside("allauth", "django-allauth"))
    host.add("mysite/settings.py", ALLAUTH + POOLED.format(port=pool) + MAIL)
    host.add("mysite/urls.py", ALLAUTH_URLS)
    for addition in recipe.additions():
        if addition.when in {"", "a page"}:
            host.add(addition.path, addition.text.replace(", Q_CLUSTER", ""))
    host.add("mysite/settings.py", WITHOUT_DJANGO_Q2)
    for addition in recipe.section("Celery", QUEUES):
        text = addition.text.replace("redis://127.0.0.1:6379/0", broker.url).replace("60}", "1}")
        host.add(addition.path, text)
    host.manage("setup")
    for command in recipe.commands():
        if command[0] not in {"setup", "createsuperuser", "qcluster"}:
            host.follow(*command)
    host.serve_python("worker", "-m", "celery", "-A", "mysite", "worker", "--concurrency", "2")
    host.serve_python("beat", "-m", "celery", "-A", "mysite", "beat", "-s", str(host.folder / "beat"))
    yield host
    host.close()


def sign_up(shop, name):
    person = Person()
    person.open(f"{shop.url}/accounts/signup/")
    person.submit("signup", email=f"{name}@example.com", password1="correct-horse-9", password2="correct-horse-9")
    return person


def buy(shop, name):
    person = sign_up(shop, name)
    person.open(f"{shop.url}/")
    person.submit("/billing/checkout")
    person.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    return person


def test_three_buy_at_once_and_who_did_not_has_nothing(shop):
    sign_up(shop, "ben")
    with ThreadPoolExecutor(3) as at_once:
        buyers = list(at_once.map(lambda name: buy(shop, name), ("ada", "eve", "joe")))
    assert {person.heading for person in buyers} == {"Welcome to Pro"}
    until(lambda: shop.run(WHAT_WAITS) == "0 True", seconds=60, what="every event processed by Celery")
    assert shop.run(WHO_HAS_ACCESS) == "ada eve joe"


def test_who_presses_a_button_after_the_session_has_ended_logs_in_by_allauth_and_lands_in_checkout(shop):
    person = sign_up(shop, "zoe")
    person.open(f"{shop.url}/")
    person.lose_session()
    person.submit("/billing/checkout")
    assert person.page.url.startswith(f"{shop.url}/accounts/login/")
    person.submit("login", login="zoe@example.com", password="correct-horse-9")
    assert "/billing/checkout" in person.page.url
    assert person.page.status_code == 200


def full_sync(shop):
    """Return what it says; nothing while the sync of the schedule runs."""
    try:
        return shop.manage("sync_stripe", "--full")
    except AssertionError as refused:
        if "Another sync is running" not in str(refused):
            raise
        return ""


def test_a_full_sync_and_the_doctor_need_no_session_of_the_database(shop):
    for _ in range(3):
        until(lambda: "no difference" in full_sync(shop), seconds=120, what="a full sync beside the schedule's own")
    assert "no issues" in shop.manage("check")
    said = shop.manage_all("billing_doctor")
    assert "pooler" not in said
    assert "celery" in said

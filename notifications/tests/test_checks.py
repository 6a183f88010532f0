"""The checks name what a host forgot and what to set, and nothing else."""

from importlib import import_module

import pytest
from django.apps import apps
from django.conf import global_settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path

from billing import mailer
from billing.tests.mailing import send_by
from notifications.conf import conf

pytestmark = pytest.mark.django_db

CONFIG = import_module(type(apps.get_app_config("billing_mail")).__module__)
urlpatterns = [path("pay/", include("billing.urls"))]


@pytest.fixture(autouse=True)
def _all_is_set(settings):
    """As in docs/mail.md; the tests' own backend is neither Django's default nor a provider's."""
    settings.NOTIFICATIONS_PRODUCT_NAME, settings.DEFAULT_FROM_EMAIL = "Acme", "Acme <billing@acme.example>"


def found():
    return [message.id for message in run_checks() if message.id and message.id.startswith("billing_mail.")]


def test_nothing_is_said_where_all_is_set():
    assert found() == []


@pytest.mark.parametrize("name", ["", None])
def test_a_product_without_a_name_is_called_after_the_site_and_told(settings, name):
    settings.SITE_URL = "https://billing.acme.example"
    settings.NOTIFICATIONS_PRODUCT_NAME = name
    assert found() == ["billing_mail.W001"]
    assert conf.product_name == "billing.acme.example"


def test_djangos_own_sender_is_told(settings):
    settings.DEFAULT_FROM_EMAIL = global_settings.DEFAULT_FROM_EMAIL
    assert found() == ["billing_mail.W002"]


@pytest.mark.parametrize(("host", "told"), [("", ["billing_mail.W003"]), ("localhost", []), ("smtp.acme.example", [])])
def test_a_mail_server_that_nobody_named_is_told(settings, host, told):
    send_by(settings, mailer.SMTP, EMAIL_HOST=host)
    assert found() == told


def test_another_backend_needs_no_server(settings):
    send_by(settings, mailer.CONSOLE)
    assert found() == []


def test_templates_that_are_not_found_are_an_error(settings):
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False, "DIRS": []}]
    assert "billing_mail.E003" in found()


def test_a_package_that_is_missing_is_named_with_the_extra_that_brings_it():
    with pytest.raises(ImproperlyConfigured, match=r"need no_such_package: pip install 'django-stripe-lanes\[mail\]'"):
        CONFIG._require("css_inline", "no_such_package")


def test_mails_lead_to_billings_pages_wherever_they_are(settings):
    settings.SITE_URL, settings.ROOT_URLCONF = "https://acme.example", __name__
    assert (conf.account_url, conf.prices_url) == ("https://acme.example/pay/billing/", "https://acme.example/pay/")
    settings.BILLING_PAGES = {"account": "https://app.acme.example/me"}
    assert (conf.account_url, conf.prices_url) == ("https://app.acme.example/me", "https://acme.example/pay/")
    settings.NOTIFICATIONS_ACCOUNT_PATH, settings.NOTIFICATIONS_PRICES_PATH = "/me/", "/plans/"
    assert (conf.account_url, conf.prices_url) == ("https://acme.example/me/", "https://acme.example/plans/")

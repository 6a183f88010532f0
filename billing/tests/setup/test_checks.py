"""A wrong setting is named, with what to set."""

import copy
import re

import pytest
from django.apps import apps
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from billing import hosting
from billing.setup import checks
from billing.setup.checks import databases, project, queue, stripe, values

KEY = "a" * 24


@pytest.mark.parametrize("key", [f"sk_test_{KEY}", f"rk_test_{KEY}"])
def test_a_key_of_the_right_mode_passes(settings, key):
    settings.STRIPE_SECRET_KEY = key
    assert stripe.check_api_key() == []


@pytest.mark.parametrize("key", ["", "sk_test_short", f"pk_test_{KEY}", f"sk_live_{KEY}", "nonsense"])
def test_any_other_key_is_refused_without_being_shown(settings, key):
    settings.STRIPE_SECRET_KEY = key
    (error,) = stripe.check_api_key()
    assert error.id == "billing.E001"
    assert "sk_test_…" in error.hint
    assert KEY not in f"{error.msg} {error.hint}"


@pytest.mark.parametrize("secrets", [[], [""]])
def test_a_missing_webhook_secret_is_named(settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    assert [warning.id for warning in stripe.check_webhook_secret()] == ["billing.W001"]


@pytest.mark.parametrize("model", ["nobody.Nothing", "nonsense"])
def test_a_subscriber_model_that_is_not_installed_is_named(settings, model):
    settings.BILLING_SUBSCRIBER_MODEL = model
    assert [error.id for error in values.check_subscriber_model()] == ["billing.E002"]


@pytest.mark.parametrize(
    ("name", "value", "check", "found"),
    [
        ("Q_CLUSTER", {}, queue.check_cluster, "billing.E003"),
        ("Q_CLUSTER", {"orm": "default", "timeout": 60, "retry": 60}, queue.check_cluster, "billing.E003"),
        ("Q_CLUSTER", {"orm": "default", "retry": 60}, queue.check_cluster, "billing.E003"),
        ("Q_CLUSTER", {"orm": "elsewhere", "timeout": 60, "retry": 90}, queue.check_cluster, "billing.E003"),
        ("ROOT_URLCONF", "django.contrib.auth.urls", project.check_addresses, "billing.E005"),
        (
            "CACHES",
            {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
            project.check_cache,
            "billing.W002",
        ),
    ],
)
def test_what_a_host_project_lacks_is_named_with_what_to_set(settings, name, value, check, found):
    assert check() == []
    setattr(settings, name, value)
    (said,) = check()
    assert said.id == found
    assert said.hint


def test_a_host_without_dj_stripes_setting_is_told_before_its_migrations_fail(settings):
    assert project.check_mirror() == []
    del settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD
    (said,) = project.check_mirror()
    assert said.id == "billing.E004"


def test_an_app_that_is_missing_is_named_when_billing_loads(monkeypatch):
    monkeypatch.setattr(hosting, "APPS", [*hosting.APPS, "not_there"])
    with pytest.raises(ImproperlyConfigured, match="needs not_there"):
        apps.get_app_config("billing").import_models()


def test_an_sqlite_whose_writers_do_not_queue_is_named(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    assert databases.check_sqlite() == []
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    (said,) = databases.check_sqlite()
    assert said.id == "billing.W003"


@pytest.mark.parametrize(
    "rates", [{"eur": "a lot"}, {"eur": -1}, {"eur": "NaN"}, {"eur": "Infinity"}, {"euro": 1}, ["eur"], "eur=1"]
)
def test_rates_that_are_none_are_named(settings, rates):
    settings.BILLING_DASHBOARD_CURRENCY, settings.BILLING_DASHBOARD_RATES = "usd", rates
    (error,) = values.check_dashboard_rates()
    assert error.id == "billing.E006"
    assert "BILLING_DASHBOARD_RATES" in error.msg


def test_rates_to_no_currency_are_named(settings):
    settings.BILLING_DASHBOARD_RATES = {"eur": "1.08"}
    (error,) = values.check_dashboard_rates()
    assert "BILLING_DASHBOARD_CURRENCY" in error.hint
    settings.BILLING_DASHBOARD_CURRENCY = "usd"
    assert values.check_dashboard_rates() == []


def found():
    return {said.id: said for said in run_checks(tags=["billing"])}


class OwnSessions(SessionMiddleware):
    pass


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("USE_TZ", False, "billing.E007"),
        ("RATELIMIT_USE_CACHE", "elsewhere", "billing.E011"),
        ("LOGIN_URL", "/nowhere/at/all/", "billing.W005"),
        ("LOGIN_URL", "no-such-name:login", "billing.W005"),
        ("STRIPE_API_VERSION", "2020-08-27", "billing.W007"),
    ],
)
def test_what_would_fail_later_is_named_at_the_start(settings, name, value, expected):
    assert expected not in found()
    setattr(settings, name, value)
    assert found()[expected].hint


def test_another_sites_login_is_not_looked_for_here(settings):
    settings.LOGIN_URL = "https://login.example.com/"
    assert "billing.W005" not in found()


@pytest.mark.parametrize("missing", project.MIDDLEWARE)
def test_a_middleware_that_is_missing_is_named(settings, missing):
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != missing]
    assert missing in found()["billing.E009"].hint


def test_a_middleware_of_the_projects_own_stands_in_for_djangos(settings):
    path = "django.contrib.sessions.middleware.SessionMiddleware"
    settings.MIDDLEWARE = [f"{__name__}.OwnSessions" if name == path else name for name in settings.MIDDLEWARE]
    assert "billing.E009" not in found()


def test_templates_that_find_no_page_or_know_no_user_are_named(settings):
    without = copy.deepcopy(settings.TEMPLATES)
    without[0]["OPTIONS"]["context_processors"].remove("django.contrib.auth.context_processors.auth")
    settings.TEMPLATES = without
    assert "context_processors.auth" in found()["billing.E010"].hint
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    assert "APP_DIRS" in found()["billing.E010"].hint


def test_a_site_on_this_machine_is_named_where_the_real_stripe_is_asked(settings):
    settings.DEBUG, settings.STRIPE_API_BASE, settings.SITE_URL = False, "", "http://127.0.0.1:8000"
    assert "SITE_URL" in found()["billing.W006"].msg
    settings.SITE_URL = "https://billing.example.com"
    assert "billing.W006" not in found()


def test_live_mode_with_the_sandbox_is_named(settings):
    settings.STRIPE_LIVE_MODE, settings.STRIPE_API_BASE = True, "http://127.0.0.1:12111"
    assert "nobody would be billed" in found()["billing.W008"].msg


def test_every_id_is_used_once_and_says_what_should_hold():
    ids = [check.id for check in checks.CHECKS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"billing\.[EW]\d{3}", check_id) for check_id in ids)
    assert all(check.about.endswith(".") for check in checks.CHECKS)


def test_a_subscriber_that_is_no_user_must_be_found_by_the_project(settings):
    settings.BILLING_SUBSCRIBER_MODEL = "auth.Group"
    assert "BILLING_REQUEST_SUBSCRIBER" in found()["billing.E020"].msg

"""A wrong setting is named, with what to set."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from billing import checks, hosting, subscriber_checks

KEY = "a" * 24


@pytest.mark.parametrize("key", [f"sk_test_{KEY}", f"rk_test_{KEY}"])
def test_a_key_of_the_right_mode_passes(settings, key):
    settings.STRIPE_SECRET_KEY = key
    assert checks.check_api_key() == []


@pytest.mark.parametrize("key", ["", "sk_test_short", f"pk_test_{KEY}", f"sk_live_{KEY}", "nonsense"])
def test_any_other_key_is_refused_without_being_shown(settings, key):
    settings.STRIPE_SECRET_KEY = key
    (error,) = checks.check_api_key()
    assert error.id == "billing.E001"
    assert "sk_test_…" in error.hint
    assert KEY not in f"{error.msg} {error.hint}"


@pytest.mark.parametrize("secrets", [[], [""]])
def test_a_missing_webhook_secret_is_named(settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    assert [warning.id for warning in checks.check_webhook_secret()] == ["billing.W001"]


@pytest.mark.parametrize("model", ["nobody.Nothing", "nonsense"])
def test_a_subscriber_model_that_is_not_installed_is_named(settings, model):
    settings.BILLING_SUBSCRIBER_MODEL = model
    assert [error.id for error in checks.check_subscriber_model()] == ["billing.E002"]


@pytest.mark.parametrize(
    ("name", "value", "check", "found"),
    [
        ("Q_CLUSTER", {}, checks.check_queue, "billing.E003"),
        ("Q_CLUSTER", {"orm": "default", "timeout": 60, "retry": 60}, checks.check_queue, "billing.E003"),
        ("Q_CLUSTER", {"orm": "default", "retry": 60}, checks.check_queue, "billing.E003"),
        ("Q_CLUSTER", {"orm": "elsewhere", "timeout": 60, "retry": 90}, checks.check_queue, "billing.E003"),
        ("ROOT_URLCONF", "django.contrib.auth.urls", checks.check_addresses, "billing.E005"),
        (
            "CACHES",
            {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
            checks.check_cache,
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
    assert checks.check_mirror() == []
    del settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD
    (said,) = checks.check_mirror()
    assert said.id == "billing.E004"


def test_an_app_that_is_missing_is_named_when_billing_loads(monkeypatch):
    monkeypatch.setattr(hosting, "APPS", [*hosting.APPS, "not_there"])
    with pytest.raises(ImproperlyConfigured, match="stands on not_there"):
        apps.get_app_config("billing").import_models()


def test_an_sqlite_whose_writers_do_not_queue_is_named(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    assert checks.check_sqlite() == []
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    (said,) = checks.check_sqlite()
    assert said.id == "billing.W003"


@pytest.mark.parametrize(
    "rates", [{"eur": "a lot"}, {"eur": -1}, {"eur": "NaN"}, {"eur": "Infinity"}, {"euro": 1}, ["eur"], "eur=1"]
)
def test_rates_that_are_none_are_named(settings, rates):
    settings.BILLING_DASHBOARD_CURRENCY, settings.BILLING_DASHBOARD_RATES = "usd", rates
    (error,) = checks.check_dashboard_rates()
    assert error.id == "billing.E006"
    assert "BILLING_DASHBOARD_RATES" in error.msg


def test_rates_to_no_currency_are_named(settings):
    settings.BILLING_DASHBOARD_RATES = {"eur": "1.08"}
    (error,) = checks.check_dashboard_rates()
    assert "BILLING_DASHBOARD_CURRENCY" in error.hint
    settings.BILLING_DASHBOARD_CURRENCY = "usd"
    assert checks.check_dashboard_rates() == []


def takes_nothing():
    """No callable of ours is called without what it is about."""


@pytest.mark.parametrize(
    ("name", "check_id"),
    [
        ("BILLING_REQUEST_SUBSCRIBER", "billing.E020"),
        ("BILLING_MAY_MANAGE", "billing.E021"),
        ("BILLING_CUSTOMER_DETAILS", "billing.E022"),
        ("BILLING_SEATS", "billing.E023"),
    ],
)
@pytest.mark.parametrize(
    "path", ["nowhere.at_all", "billing.nothing", "billing.conf.LOOPBACK", f"{__name__}.takes_nothing"]
)
def test_a_callable_that_is_not_there_or_takes_something_else_is_named(settings, name, check_id, path):
    setattr(settings, name, path)
    (error,) = [error for check in subscriber_checks.CHECKS for error in check()]
    assert (error.id, name in error.msg) == (check_id, True)
    assert "dotted path" in error.hint


def test_a_subscriber_that_is_no_user_must_be_found_by_the_project(settings):
    settings.BILLING_SUBSCRIBER_MODEL = "auth.Group"
    (error,) = subscriber_checks.check_request_subscriber()
    assert (error.id, "BILLING_REQUEST_SUBSCRIBER" in error.msg) == ("billing.E020", True)

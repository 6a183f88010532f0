"""A wrong setting is named, with what to set."""

import copy
import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from billing import checks, hosting
from billing.checks import kinds, plans, project, stripe, values
from billing.conf import documented
from billing.plan_source import PlanDefinition

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
        ("Q_CLUSTER", {}, project.check_queue, "billing.E003"),
        ("Q_CLUSTER", {"orm": "default", "timeout": 60, "retry": 60}, project.check_queue, "billing.E003"),
        ("Q_CLUSTER", {"orm": "default", "retry": 60}, project.check_queue, "billing.E003"),
        ("Q_CLUSTER", {"orm": "elsewhere", "timeout": 60, "retry": 90}, project.check_queue, "billing.E003"),
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
    with pytest.raises(ImproperlyConfigured, match="stands on not_there"):
        apps.get_app_config("billing").import_models()


def test_an_sqlite_whose_writers_do_not_queue_is_named(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    assert project.check_sqlite() == []
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    (said,) = project.check_sqlite()
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


class OwnSessions(SessionMiddleware):
    pass


# Each setting's kind

WRONG: dict[str, list[Any]] = {
    "STRIPE_SECRET_KEY": [None, 7],
    "STRIPE_API_VERSION": ["latest", "", None],
    "STRIPE_API_BASE": ["127.0.0.1:12111", "ftp://example.com", None, "http://[::1"],
    "STRIPE_LIVE_MODE": ["false", 0, None],
    "STRIPE_WEBHOOK_SECRETS": ["whsec_one_text", None, [None]],
    "SITE_URL": ["example.com", "", "//example.com", "https://", None],
    "BILLING_CLOCK": ["billing.clock.nothing", "nonsense", "billing.access.explain", None],
    "BILLING_ACCESS_RULE": ["no.such.module.rule", "billing.clock.now", 7],
    "BILLING_FREE_PLAN": ["", "no slug", None],
    "BILLING_GRACE_DAYS": [-1, 1.5, "3", True, None],
    "BILLING_DISPUTE_HOLDS": ["no", None],
    "BILLING_LOST_DISPUTE_CANCELS": [0],
    "BILLING_FULL_REFUND_CANCELS": [1],
    "BILLING_DELETE_CUSTOMER": ["True"],
    "BILLING_CHECKOUT_RATE": ["5 per minute", "m/5", "", None, "5"],
    "BILLING_INVOICE": [
        "a footer",
        {"foot": "…"},
        {"footer": 7},
        {"memo": "x" * 501},
        {"custom_fields": [{"name": "VAT", "value": "1"}] * 5},
        {"custom_fields": [{"name": "x" * 41, "value": "1"}]},
        {"custom_fields": [{"name": "VAT", "value": "x" * 141}]},
        {"custom_fields": [{"name": "VAT"}]},
        {"custom_fields": {"VAT": "1"}},
    ],
    "BILLING_RENEWAL_REMINDER_DAYS": [-1, "30"],
    "BILLING_CARD_REMINDER_DAYS": [-0.5, None],
    "BILLING_WEBHOOK_TOLERANCE": [0, -300, "300"],
    "BILLING_WEBHOOK_MAX_BYTES": [0, "1 MiB"],
    "BILLING_STRIPE_TIMEOUT": [0, -1, "20", float("inf")],
    "BILLING_STRIPE_REQUEST_TIMEOUT": [0, None],
    "BILLING_STRIPE_RATE": [-1, "many", float("nan")],
    "BILLING_STRIPE_CIRCUIT_FAILURES": [0, 2.5],
    "BILLING_STRIPE_CIRCUIT_SECONDS": [0, None],
    "BILLING_LEASE_SECONDS": [0, "120"],
    "BILLING_READY_DEAD_EVENTS": [-1, None],
    "BILLING_ALERT_MINUTES": [0, "60"],
    "BILLING_SILENT_HOURS": [0, None],
    "BILLING_DASHBOARD_CURRENCY": ["dollars", "$", None],
}
ELSEWHERE = {"BILLING_SUBSCRIBER_MODEL", "BILLING_PLANS", "BILLING_DASHBOARD_RATES"}
BY_NAME = {row.name: row.check_id for row in values.TABLE}


def found():
    return {said.id: said for said in run_checks(tags=["billing"])}


def test_every_setting_there_is_has_a_check_and_its_wrong_values_are_known_here():
    assert BY_NAME.keys() | ELSEWHERE == documented().keys()
    assert BY_NAME.keys() == WRONG.keys()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, wrong in WRONG.items() for value in wrong])
def test_a_wrong_value_is_named_with_what_to_set_and_breaks_no_other_check(settings, name, value):
    setattr(settings, name, value)
    said = found()[BY_NAME[name]]
    assert name in said.msg
    assert said.hint.startswith(f"Set {name} to ")
    assert not ("SECRET" in name and isinstance(value, str) and value in said.msg)


def test_no_setting_at_all_is_as_good_as_its_default(settings):
    for name in BY_NAME:
        if hasattr(settings, name):
            delattr(settings, name)
    assert not {row.check_id for row in values.TABLE} & found().keys()
    assert all(row.kind.is_right(documented()[row.name][0]) for row in values.TABLE)


@pytest.mark.parametrize(
    "invoice",
    [{}, {"footer": "Thanks"}, {"memo": "x" * 500, "custom_fields": [{"name": "x" * 40, "value": "y" * 140}]}],
)
def test_what_stripe_takes_on_an_invoice_passes(invoice):
    assert kinds.INVOICE.is_right(invoice)


def test_a_setting_that_is_none_of_ours_is_named(settings):
    settings.BILLING_GRACEDAYS = 5
    assert "BILLING_GRACEDAYS" in found()["billing.W004"].msg


# Plans in the settings

PLAN = {"slug": "pro", "name": "Pro", "prices": {"month": {"usd": 2000}}}


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ("pro", "no list"),
        ({"pro": PLAN}, "no list"),
        ([{"name": "Pro"}], "plan 1 lacks 'slug'"),
        ([{"slug": "pro"}], "pro lacks 'name'"),
        ([{**PLAN, "colour": "red"}], "there is no 'colour'"),
        ([PLAN, PLAN], "the slug 'pro' stands there twice"),
        ([{**PLAN, "slug": "pro plan"}], "'slug'"),
        ([{**PLAN, "name": "x" * 101}], "'name'"),
        ([{**PLAN, "rank": -1}], "'rank'"),
        ([{**PLAN, "limits": {"exports": "many"}}], "'limits'"),
        ([{**PLAN, "limits": ["exports"]}], "'limits'"),
        ([{**PLAN, "trial_days": None}], "'trial_days'"),
        ([{**PLAN, "grace_days": -3}], "'grace_days'"),
        ([{**PLAN, "is_public": "yes"}], "'is_public'"),
        ([{**PLAN, "prices": {"monthly": {"usd": 2000}}}], "'prices'"),
        ([{**PLAN, "prices": {"month": {"usd": 20.5}}}], "'prices'"),
        ([{**PLAN, "prices": {"month": {"USD": 2000}}}], "'prices'"),
        ([{**PLAN, "prices": {"month": {}}}], "'prices'"),
    ],
)
def test_a_plan_that_is_none_is_named_by_its_slug_and_field(settings, stated, names):
    settings.BILLING_PLANS = stated
    said = found()["billing.E012"]
    assert names in said.msg
    assert "minor units" in said.hint
    assert "billing.E013" not in found(), "one thing at a time"


def test_a_free_plan_that_is_none_of_the_plans_is_named(settings):
    settings.BILLING_PLANS = [PLAN]
    assert "BILLING_FREE_PLAN" in found()["billing.E013"].msg
    settings.BILLING_FREE_PLAN = "pro"
    assert not {"billing.E012", "billing.E013"} & found().keys()


def test_every_field_of_a_plan_is_checked():
    assert plans.FIELDS.keys() == PlanDefinition.__dataclass_fields__.keys()


# What a project has beside them


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


def test_requests_that_are_transactions_are_named(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    assert "transaction.atomic" in found()["billing.E008"].hint


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

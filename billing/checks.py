"""System checks: a wrong setting is named at start-up, with what to set."""

import re
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.cache import DEFAULT_CACHE_ALIAS
from django.db import DEFAULT_DB_ALIAS
from django.urls import NoReverseMatch, reverse
from djstripe.models.api import API_KEY_REGEX

from billing import subscriber_checks
from billing.conf import conf

# Each process for itself, or two writers at once as one.
INEXACT_CACHES = {
    f"django.core.cache.backends.{name}"
    for name in ("dummy.DummyCache", "locmem.LocMemCache", "filebased.FileBasedCache", "db.DatabaseCache")
}


def register() -> None:
    for check in CHECKS:
        checks.register(check, "billing")


def check_webhook_secret(**kwargs: Any) -> list[checks.CheckMessage]:
    if conf.webhook_secrets:
        return []
    return [
        checks.Warning(
            "No webhook secret is set: every event is refused.",
            hint="Set STRIPE_WEBHOOK_SECRETS to the list of your endpoint's signing secrets (whsec_…); where settings "
            "come from the environment, set STRIPE_WEBHOOK_SECRET.",
            id="billing.W001",
        )
    ]


def check_api_key(**kwargs: Any) -> list[checks.CheckMessage]:
    """dj-stripe takes no key of another shape, and every drain would fail on it."""
    mode = "live" if conf.live_mode else "test"
    if not re.match(API_KEY_REGEX, conf.api_key) or conf.api_key.startswith("pk_"):
        is_what = "not a secret key of Stripe's" if conf.api_key else "empty"
        problem, hint = f"STRIPE_SECRET_KEY is {is_what}.", f"Set STRIPE_SECRET_KEY to your sk_{mode}_… key."
    elif f"_{mode}_" not in conf.api_key[:8]:
        problem = f"STRIPE_SECRET_KEY is not a {mode} mode key, while STRIPE_LIVE_MODE is {conf.live_mode}."
        hint = f"Set STRIPE_SECRET_KEY to your sk_{mode}_… key, or STRIPE_LIVE_MODE to {not conf.live_mode}."
    else:
        return []
    return [checks.Error(problem, hint=hint, id="billing.E001")]


def check_subscriber_model(**kwargs: Any) -> list[checks.CheckMessage]:
    try:
        apps.get_model(conf.subscriber_model)
    except (LookupError, ValueError):
        return [
            checks.Error(
                f"BILLING_SUBSCRIBER_MODEL names no installed model: {conf.subscriber_model!r}.",
                hint="Set it to 'app_label.Model' of an installed app, or leave it out for the user model.",
                id="billing.E002",
            )
        ]
    return []


def check_queue(**kwargs: Any) -> list[checks.CheckMessage]:
    """django-q2's own defaults are a Redis on this machine, and a task given out again while it still runs."""
    queue = getattr(settings, "Q_CLUSTER", None)
    if not queue:
        problem, hint = "Q_CLUSTER is not set: no worker would ever be told of an event.", "Import it from"
    elif not queue.get("timeout") or queue.get("retry", 60) <= queue["timeout"]:
        problem, hint = "Q_CLUSTER: `retry` must be longer than `timeout`, and both be set.", "Set both as in"
    elif "orm" in queue and queue["orm"] not in settings.DATABASES:
        problem, hint = f"Q_CLUSTER: `orm` names no database: {queue['orm']!r}.", "Set it as in"
    else:
        return []
    return [checks.Error(problem, hint=f"{hint} billing.hosting.", id="billing.E003")]


def check_mirror(**kwargs: Any) -> list[checks.CheckMessage]:
    if hasattr(settings, "DJSTRIPE_FOREIGN_KEY_TO_FIELD"):
        return []
    return [
        checks.Error(
            "DJSTRIPE_FOREIGN_KEY_TO_FIELD is not set, and dj-stripe's migrations fail without it.",
            hint='Import it from billing.hosting, or set "id"; "djstripe_id" where dj-stripe was before.',
            id="billing.E004",
        )
    ]


def check_addresses(**kwargs: Any) -> list[checks.CheckMessage]:
    try:
        reverse("billing:stripe_webhook")
    except NoReverseMatch:
        return [
            checks.Error(
                "billing.urls is not included: no webhook arrives, and no page leads to Checkout.",
                hint='Add path("", include("billing.urls")) to the urlpatterns of ROOT_URLCONF.',
                id="billing.E005",
            )
        ]
    return []


def check_cache(**kwargs: Any) -> list[checks.CheckMessage]:
    """Rate limits and the budget of Stripe's calls are counted there by all processes together."""
    name = getattr(settings, "RATELIMIT_USE_CACHE", DEFAULT_CACHE_ALIAS)
    backend = settings.CACHES.get(name, {}).get("BACKEND", "")
    if backend not in INEXACT_CACHES:
        return []
    return [
        checks.Warning(
            f"CACHES[{name!r}] does not count exactly: {backend}.",
            hint="Import CACHES from billing.hosting (and run `manage.py setup`, which makes its table), or use Redis.",
            id="billing.W002",
        )
    ]


def check_sqlite(**kwargs: Any) -> list[checks.CheckMessage]:
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    is_queued = database.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE"
    if database["ENGINE"] != "django.db.backends.sqlite3" or is_queued:
        return []
    return [
        checks.Warning(
            'SQLite fails with "database is locked" where site and worker write at once.',
            hint='Set DATABASES["default"]["OPTIONS"] to SQLITE_OPTIONS of billing.hosting, or use PostgreSQL.',
            id="billing.W003",
        )
    ]


def check_dashboard_rates(**kwargs: Any) -> list[checks.CheckMessage]:
    try:
        are_rates = all(
            len(currency) == 3 and 0 < rate < Decimal("Infinity") for currency, rate in conf.dashboard_rates.items()
        )
    except (ArithmeticError, AttributeError):
        are_rates = False
    if not are_rates:
        problem = "BILLING_DASHBOARD_RATES is no dictionary of currencies and rates above 0."
        hint = 'Set it to what one of each currency is worth in BILLING_DASHBOARD_CURRENCY: {"eur": "1.08"}.'
    elif conf.dashboard_rates and not conf.dashboard_currency:
        problem = "BILLING_DASHBOARD_RATES is set and BILLING_DASHBOARD_CURRENCY is not: nothing is converted."
        hint = 'Set BILLING_DASHBOARD_CURRENCY to the currency that the rates lead to: "usd".'
    else:
        return []
    return [checks.Error(problem, hint=hint, id="billing.E006")]


CHECKS = (
    check_webhook_secret,
    check_api_key,
    check_subscriber_model,
    check_queue,
    check_mirror,
    check_addresses,
    check_cache,
    check_sqlite,
    check_dashboard_rates,
    *subscriber_checks.CHECKS,
)

"""What a host project has set up that cannot work, or that browsers will not like, is named with what to set."""

import pytest
from django.conf import settings as django_settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.views import LoginView
from django.core.management import get_commands
from django.db import connection
from django.urls import clear_script_prefix, path, set_script_prefix

from billing import commands
from billing.setup.checks import browsers, databases, names, project, queue

urlpatterns = i18n_patterns(path("login/", LoginView.as_view()))


class PrimaryReplica:
    """The router of Django's documentation."""

    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"


class BillingElsewhere:
    def db_for_read(self, model, **hints):
        return "billing" if model._meta.app_label == "billing" else None

    db_for_write = db_for_read


class BillingStays:
    def db_for_read(self, model, **hints):
        return "default" if model._meta.app_label in {"billing", "djstripe", "django_q"} else None

    db_for_write = db_for_read


class QueueReadElsewhere:
    def db_for_read(self, model, **hints):
        return "replica" if model._meta.app_label == "django_q" else None


class UsersWrittenElsewhere:
    def db_for_write(self, model, **hints):
        return "people" if model._meta.label == django_settings.AUTH_USER_MODEL else None


class UsersReadElsewhere:
    def db_for_read(self, model, **hints):
        return "replica" if model._meta.label == django_settings.AUTH_USER_MODEL else None


@pytest.mark.parametrize(
    "router", ["PrimaryReplica", "BillingElsewhere", "QueueReadElsewhere", "UsersWrittenElsewhere"]
)
def test_a_router_that_reads_or_writes_elsewhere_is_an_error(settings, router):
    assert databases.check_routers() == []
    settings.DATABASE_ROUTERS = [f"{__name__}.{router}"]
    (said,) = databases.check_routers()
    assert said.id == "billing.E014"
    assert "default" in said.hint


def test_a_router_that_keeps_billing_on_the_default_database_passes(settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.BillingStays", f"{__name__}.PrimaryReplica"]
    assert databases.check_routers() == []
    settings.DATABASE_ROUTERS = [f"{__name__}.UsersReadElsewhere"]
    assert databases.check_routers() == []


def test_a_queue_of_another_kind_leaves_django_q_to_the_project(settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.QueueReadElsewhere"]
    settings.BILLING_QUEUE = "none"
    assert databases.check_routers() == []


@pytest.mark.parametrize("vendor", ["mysql", "oracle"])
def test_a_database_that_cannot_store_events_is_an_error(monkeypatch, vendor):
    assert databases.check_database() == []
    monkeypatch.setattr(connection, "vendor", vendor)
    (said,) = databases.check_database()
    assert said.id == "billing.E015"


SELF = "'self'"
BOTH = [SELF, "https://checkout.stripe.com", "https://billing.stripe.com"]


@pytest.mark.parametrize(
    ("name", "allowed", "is_right"),
    [
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"form-action": [SELF]}}, False),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"form-action": BOTH}}, True),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"default-src": [SELF]}}, True),
        ("SECURE_CSP", {"form-action": [SELF, "https://checkout.stripe.com"]}, False),
        ("SECURE_CSP", {"form-action": [SELF, "https://*.stripe.com"]}, True),
        ("CSP_FORM_ACTION", [SELF], False),
        ("CSP_FORM_ACTION", "https:", True),
    ],
)
def test_a_content_security_policy_that_keeps_buyers_from_stripe_is_named(settings, name, allowed, is_right):
    settings.STRIPE_API_BASE, settings.CONTENT_SECURITY_POLICY, settings.SECURE_CSP = "", None, None
    setattr(settings, name, allowed)
    said = browsers.check_form_action()
    assert [each.id for each in said] == ([] if is_right else ["billing.W009"])
    assert is_right or "https://billing.stripe.com" in said[0].hint


def test_the_policy_of_this_project_passes():
    assert browsers.check_form_action() == []


@pytest.mark.parametrize(
    ("name", "value", "check", "found"),
    [
        ("SESSION_COOKIE_SAMESITE", "Strict", browsers.check_session_cookie, "billing.W010"),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", 1000, browsers.check_body_size, "billing.W011"),
        ("LOGIN_URL", "/nowhere/", project.check_login, "billing.W005"),
        ("Q_CLUSTER", {"sync": True}, queue.check_runs_elsewhere, "billing.W012"),
    ],
)
def test_other_settings_that_stand_in_the_way_are_named(settings, name, value, check, found):
    assert check() == []
    setattr(settings, name, value)
    assert [said.id for said in check()] == [found]


def test_a_login_below_a_language_is_a_page(settings):
    settings.ROOT_URLCONF, settings.LOGIN_URL = __name__, "/login/"
    assert project.check_login() == []


def test_a_login_below_the_path_that_the_site_is_mounted_at_is_a_page(settings):
    settings.LOGIN_URL = "accounts:login"
    set_script_prefix("/shop/")
    try:
        assert project.check_login() == []
    finally:
        clear_script_prefix()
    assert django_settings.ROOT_URLCONF == "config.urls"


def test_a_command_of_another_app_that_hides_ours_is_named(monkeypatch):
    assert names.check_commands() == []
    monkeypatch.setattr(commands, "get_commands", lambda: {**get_commands(), "setup": "shop"})
    (said,) = names.check_commands()
    assert said.id == "billing.W013"
    assert "setup (of shop)" in said.msg


@pytest.mark.django_db
def test_tables_that_were_made_without_migrations_are_ours_and_a_few_are_another_apps(monkeypatch):
    monkeypatch.setattr(names.MigrationRecorder, "applied_migrations", lambda recorder: {})
    monkeypatch.setattr(names.MigrationLoader, "migrations_module", lambda label: ("billing.migrations", False))
    assert names.check_tables.look() is None
    monkeypatch.setattr(connection.introspection, "table_names", lambda: ["billing_customer", "shop_cart"])
    assert "billing_customer" in str(names.check_tables.look())
    monkeypatch.setattr(connection.introspection, "table_names", lambda: ["shop_cart"])
    assert names.check_tables.look() is None

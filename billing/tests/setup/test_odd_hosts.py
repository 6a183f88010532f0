"""Projects whose subscriber model came late, and that have no admin, start all the same."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from billing.migrations._subscriber import made_in

REPOSITORY = Path(__file__).parents[3]
SETTINGS = """
from billing.hosting import APPS, CACHES, DJSTRIPE_FOREIGN_KEY_TO_FIELD, Q_CLUSTER, SQLITE_OPTIONS

SECRET_KEY, ROOT_URLCONF, STRIPE_SECRET_KEY = "x" * 50, "urls", "sk_test_" + "sandbox0" * 3
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                  "django.contrib.messages", "teams", *APPS]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
    "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                           "django.contrib.messages.context_processors.messages"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3", "OPTIONS": SQLITE_OPTIONS}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STRIPE_WEBHOOK_SECRETS, LOGIN_URL = ["whsec_x"], "/"
BILLING_SUBSCRIBER_MODEL, BILLING_REQUEST_SUBSCRIBER = "teams.Organisation", "teams.models.organisation_of"
"""
MODELS = """
from django.db import models

class Country(models.Model):
    name = models.CharField(max_length=9)

class Organisation(models.Model):
    email = models.EmailField()

def organisation_of(request):
    return None
"""
FIRST = """
from django.db import migrations, models

class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Country", [("id", models.BigAutoField(primary_key=True)),
                                                     ("name", models.CharField(max_length=9))])]
"""
SECOND = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("teams", "0001_initial")]
    operations = [migrations.CreateModel("Organisation", [("id", models.BigAutoField(primary_key=True)),
                                                          ("email", models.EmailField(max_length=254))])]
"""


@pytest.fixture
def host(tmp_path):
    urls = 'from django.urls import include, path\nurlpatterns = [path("", include("billing.urls"))]\n'
    files = {"settings.py": SETTINGS, "urls.py": urls}
    files |= {"teams/__init__.py": "", "teams/models.py": MODELS, "teams/migrations/__init__.py": ""}
    files |= {"teams/migrations/0001_initial.py": FIRST, "teams/migrations/0002_organisation.py": SECOND}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def manage(*command):
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        path = f"{REPOSITORY}{os.pathsep}{tmp_path}"
        return subprocess.run(
            [sys.executable, "-m", "django", *command],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "settings"},
            capture_output=True,
            text=True,
            check=False,
        )

    return manage


@pytest.mark.slow
def test_a_subscriber_model_of_a_later_migration_is_set_up_without_the_admin(host):
    done = host("setup")
    assert done.stdout.startswith("Ready:"), done.stderr
    asked = host("explain_access", "nobody@example.com")
    assert "Traceback" not in asked.stderr
    assert "nobody@example.com" in asked.stdout + asked.stderr
    assert "--by" in host("import_customers", "--help").stdout


@pytest.mark.slow
def test_tables_of_dj_stripe_2_8_are_named_before_anything_is_made_and_those_of_2_9_pass(host, tmp_path):
    """dj-stripe's first migration has had one name and two contents: on old tables Django takes it for done."""
    recorded = ["0001_initial", "0008_2_5", "0009_2_6", "0010_alter_customer_balance", "0011_2_7", "0012_2_8"]
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        database.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT, applied TEXT)")
        row = "INSERT INTO django_migrations (app, name, applied) VALUES ('djstripe', ?, '2024-01-01')"
        database.executemany(row, [(name,) for name in recorded])
    for command in (("setup",), ("migrate",), ("check", "--database", "default")):
        done = host(*command)
        assert (done.returncode, "0012_2_8" in done.stderr) == (1, True), done.stdout + done.stderr
        assert command == ("setup",) or "billing.E241" in done.stderr
        assert "dj-stripe==2.9.*" in done.stderr
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'billing%'").fetchone() == (0,)
        database.executemany(row, [("0013_2_9",), ("0014_2_9a",)])
    assert "billing.E241" not in host("check", "--database", "default").stderr


CREATE = 'migrations.CreateModel("{}", [])'
RENAME = 'migrations.RenameModel("{}", "{}")'
APART = "migrations.SeparateDatabaseAndState(state_operations=[{}])"


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([CREATE.format("Organisation")], "0001_x"),
        ([CREATE.format("Country"), CREATE.format("Organisation")], "0002_x"),
        ([CREATE.format("Team"), RENAME.format("Team", "Organisation")], "0002_x"),
        ([CREATE.format("Country"), APART.format(CREATE.format("Organisation"))], "0002_x"),
        ([CREATE.format("Country")], "__first__"),
    ],
)
def test_the_migration_that_makes_the_model_is_found(tmp_path, monkeypatch, settings, operations, expected):
    package = f"migrations_{abs(hash(str(operations)))}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    for number, operation in enumerate(operations, start=1):
        made = f"class Migration(migrations.Migration):\n    operations = [{operation}]\n"
        text = f"from django.db import migrations\n\n{made}"
        (tmp_path / package / f"000{number}_x.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"accounts": package}
    assert made_in("accounts.Organisation") == ("accounts", expected)


def test_an_app_without_migrations_needs_none(settings):
    settings.MIGRATION_MODULES = {"accounts": None}
    assert made_in("accounts.User") == ("accounts", "__first__")

"""docs/getting-started.md where it is hard: without `python`, and where a project has settings already."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from billing.apps import BillingConfig

from . import recipe
from .project import REPOSITORY, HostProject

pytestmark = pytest.mark.slow

# What a page's shell may use beside `python3`. uv-build stands in for what pip would fetch to build the wheel.
PROGRAMS = ("bash", "uv-build")
OLD_SETTINGS = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
MIDDLEWARE.remove("django.contrib.messages.middleware.MessageMiddleware")
TEMPLATES[0]["OPTIONS"]["context_processors"].remove("django.contrib.messages.context_processors.messages")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
INSTALLED_APPS += ["rest_framework", "djstripe"]
Q_CLUSTER = {"name": "acme", "workers": 7, "timeout": 60, "retry": 90}
"""
WHAT_HOLDS = """
from django.conf import settings
from django.core.cache import caches
from billing.cache import counting_cache
print(settings.CACHES["default"]["BACKEND"].rpartition(".")[2], type(counting_cache()).__name__)
print(*(settings.Q_CLUSTER.get(name) for name in ("name", "workers", "timeout", "retry", "orm", "ack_failures")))
"""


@pytest.fixture
def bare(tmp_path):
    """A home with this repository in it, and a PATH on which there is no `python`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home/src").mkdir(parents=True)
    (tmp_path / "home/src/billing").symlink_to(REPOSITORY)
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for name in PROGRAMS:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name, path=scripts))
    # No index is asked: what the wheel depends on is in this environment.
    alone = dict.fromkeys(("PIP_NO_INDEX", "PIP_NO_DEPS", "PIP_DISABLE_PIP_VERSION_CHECK"), "1")
    here = {"PYTHONPATH": sysconfig.get_path("purelib"), "PIP_NO_BUILD_ISOLATION": "0"}
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home"), **alone, **here}


def test_the_first_step_makes_a_project_where_there_is_only_python3(bare, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-euc", recipe.shell_block(0)], cwd=folder, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "manage.py").exists()
    [installed] = folder.glob(".venv/lib/*/site-packages/billing_mail/__init__.py")
    assert (installed.parents[1] / "billing" / "hosting.py").exists()
    assert not (installed.parents[1] / "notifications").exists()


@pytest.fixture
def old(packages, tmp_path):
    """A project with a cache and a queue of its own, and without messages."""
    host = HostProject(tmp_path, packages, "")
    host.start()
    host.add("mysite/settings.py", OLD_SETTINGS)
    return host


def added(when):
    return [addition for addition in recipe.additions() if addition.when == when]


def test_settings_that_are_there_already_are_kept_and_completed(old):
    [settings, urls] = added("")
    old.add(settings.path, settings.text.replace("APPS, CACHES, ", "APPS, ").replace("Q_CLUSTER, ", ""))
    old.add_all([urls, *added(recipe.ON_SQLITE)])
    said = old.manage_all("check", "--fail-level", "CRITICAL")
    assert [found for found in ("billing.E009", "billing.E010", "billing.W002") if found in said] == [
        "billing.E009", "billing.E010", "billing.W002",
    ]  # fmt: skip
    old.add_all(added(recipe.IN_AN_OLD_PROJECT))
    assert "no issues" in old.manage("check")
    assert old.run(WHAT_HOLDS).splitlines() == ["LocMemCache ExactDatabaseCache", "acme 7 60 90 default True"]
    ready = f"Ready: tables created, 3 plans and {len(BillingConfig.schedules)} schedules"
    assert old.manage("setup").startswith(ready)


def test_a_queue_in_redis_stays_there(old):
    old.add("mysite/settings.py", 'Q_CLUSTER["redis"] = "redis://127.0.0.1:6379/0"')
    old.add_all(added(recipe.IN_AN_OLD_PROJECT)[:1])
    line = "print('orm' in settings.Q_CLUSTER, settings.Q_CLUSTER['workers'])"
    assert old.python(f"from mysite import settings; {line}") == "False 7"

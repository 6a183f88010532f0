"""A host with another queue has no django-q2: nothing of ours imports it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as site
from django_q.models import Schedule

from billing import queues
from billing.queues import chosen

from .project import WITHOUT_DJANGO_Q2

IMPORT_ALL = """
import pkgutil, sys
from importlib import import_module
import django

django.setup()
import billing, notifications
for package in (billing, notifications):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not {"tests", "testing", "migrations"} & set(module.name.split(".")):
            if module.name.rpartition(".")[2] not in OF_A_QUEUE:
                import_module(module.name)
from django.core.management import call_command

call_command("check")
print(sorted(name for name in sys.modules if name.partition(".")[0] in {"django_q", "celery", "rq"}))
"""
OF_A_QUEUE = {"django_q2", "django_q2_schedules", "celery", "rq", "django_tasks"}


def test_a_host_without_django_q2_imports_nothing_of_it_nor_of_a_queue_it_did_not_choose(tmp_path):
    (tmp_path / "without.py").write_text(f'{WITHOUT_DJANGO_Q2}\nBILLING_QUEUE = "none"\n')
    code = f"OF_A_QUEUE = {OF_A_QUEUE | {'queue'}}\n{IMPORT_ALL}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=site.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "without", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


@pytest.mark.parametrize("name", ["Celery", "", None, ["rq"]])
def test_a_queue_that_there_is_not_stops_no_start(settings, name):
    settings.BILLING_QUEUE = name
    queues.prepare()
    assert queues.why_unusable() == ""


def test_a_queue_whose_package_is_missing_stops_no_start_and_says_what_to_install(settings, monkeypatch):
    settings.BILLING_QUEUE = "celery"
    monkeypatch.setattr(chosen, "find_spec", lambda name: None)
    queues.prepare()
    assert "[celery]" in queues.why_unusable()


@pytest.mark.django_db
def test_after_a_change_to_another_queue_django_q2_keeps_no_schedule_of_ours(settings):
    assert queues.keep_schedules() == len(queues.declared_schedules()) == Schedule.objects.count()
    of_the_host = Schedule.objects.create(name="shop.tasks.count", func="shop.tasks.count")
    settings.BILLING_QUEUE = "none"
    assert queues.keep_schedules() == 0
    assert list(Schedule.objects.all()) == [of_the_host]

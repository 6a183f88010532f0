"""A host reads its own models on a replica, has a further database, and runs each request in a transaction.

The replica here is a copy made after the people had signed up, and never follows: it knows of no purchase.
"""

import base64
import json
import os
from urllib.request import Request, urlopen

import psycopg
import pytest
from django.db import connection

from billing.tests.processes import until

from . import recipe

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

NAME = f"test_replica_follower_{os.getpid()}"
ROUTER = """
class OwnModelsOnTheReplica:
    def db_for_read(self, model, **hints):
        return "default" if model._meta.app_label in {"billing", "djstripe", "django_q"} else "replica"

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, one, other, **hints):
        return True

    def allow_migrate(self, alias, app_label, **hints):
        return alias == "default"
"""
OWN_SETTINGS = f"""
INSTALLED_APPS += ["rest_framework"]
REST_FRAMEWORK = {{"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]}}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
DATABASES["replica"] = {{**DATABASES["default"], "NAME": "{NAME}"}}
"""
ROUTED = """
DATABASE_ROUTERS = ["mysite.routers.OwnModelsOnTheReplica"]
"""
ADA = """
from django.contrib.auth.models import User

User.objects.create_user("ada", "ada@example.com", "correct-horse-battery")
"""
SAID = """
from django.contrib.auth.models import User
from billing.access import has_access

print(has_access(User.objects.get(username="ada"), plan="pro"))
"""


@pytest.fixture(scope="module")
def sold(host):
    """The project, set up and served, with a copy of its database as its replica."""
    host.write("mysite/routers.py", ROUTER)
    host.add("mysite/settings.py", OWN_SETTINGS)
    host.add_all(recipe.for_a_new_project())
    host.manage("setup")
    host.run(ADA)
    with _server() as server:
        server.execute(f'CREATE DATABASE "{NAME}" TEMPLATE "test_replica_{os.getpid()}"')
    host.add("mysite/settings.py", ROUTED)
    for command in recipe.commands():
        if command[0] not in {"setup", "createsuperuser"}:
            host.follow(*command)
    yield host
    host.close()
    with _server() as server:
        server.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')


def _server():
    known = connection.settings_dict
    place = {"host": known["OPTIONS"].get("host") or known["HOST"], "port": known["PORT"], "user": known["USER"]}
    place |= {"password": known["PASSWORD"]}
    return psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in place.items() if v})


def ask(url, body=None):
    password = base64.b64encode(b"ada:correct-horse-battery").decode()
    headers = {"Authorization": f"Basic {password}", "Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode() if body is not None else None, headers), timeout=30) as answer:
        return json.loads(answer.read())


def test_a_purchase_a_change_and_a_cancellation_are_answered_as_they_are(sold):
    assert "no issues" in sold.manage("check")
    api = f"{sold.url}/api/v1/subscriptions"
    session = ask(f"{api}/checkout", {"plan": "pro", "interval": "month"})["session_id"]
    ask(f"{sold.sandbox_url}/_sandbox/checkout/{session}/complete", {})
    until(lambda: ask(f"{api}/current")["has_access"], what="access")
    assert sold.run(SAID) == "True"
    assert ask(f"{api}/change", {"plan": "team", "interval": "month"})["plan"] == "team"
    assert ask(f"{api}/cancel", {"when": "period_end"})["cancel_at"]
    assert ask(f"{api}/resume", {})["cancel_at"] is None


def test_limits_are_counted_where_they_are_written(sold):
    assert ask(f"{sold.url}/api/v1/usage/generations", {"quantity": 1})["used"] == 1
    assert json.loads(urlopen(f"{sold.url}/readyz", timeout=30).read())["limits_are_exact"]

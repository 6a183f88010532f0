"""A host with JWT in place of sessions, a second database of its own, and a streaming replica two seconds behind.

Its routers are those of Django's documentation, and the replica is real: what was just written is not there yet.
"""

import os
import time

import psycopg
import pytest
import requests
from django.db import connection

from billing.tests.beside import installed_beside
from billing.tests.processes import until
from billing.tests.standby import standby

from . import recipe
from .project import new_database

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

BEHIND = "2s"
OWN_APP = {
    "visits/__init__.py": "",
    "visits/models.py": """
from django.db import models


class Visit(models.Model):
    path = models.TextField()
""",
}
# https://docs.djangoproject.com/en/5.2/topics/db/multi-db/#an-example
ROUTERS = """
import random


class VisitsRouter:
    route_app_labels = {"visits"}

    def db_for_read(self, model, **hints):
        return "visits" if model._meta.app_label in self.route_app_labels else None

    def db_for_write(self, model, **hints):
        return "visits" if model._meta.app_label in self.route_app_labels else None

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return db == "visits" if app_label in self.route_app_labels else None


class PrimaryReplicaRouter:
    def db_for_read(self, model, **hints):
        return random.choice(["replica"])

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, obj1, obj2, **hints):
        db_set = {"default", "replica"}
        if obj1._state.db in db_set and obj2._state.db in db_set:
            return True
        return None

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return db == "default"
"""
# As docs/integration.md and the hint of billing.E014 say.
BILLING_STAYS = """

class BillingStays:
    def db_for_read(self, model, **hints):
        return "default" if model._meta.app_label in {"billing", "djstripe", "django_q"} else None

    db_for_write = db_for_read
"""
JWT = """
INSTALLED_APPS += ["visits", "rest_framework"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
"""
# As simplejwt's own getting started has it.
JWT_URLS = """
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

urlpatterns += [
    path("api/token/", TokenObtainPairView.as_view(), name="token_obtain_pair"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token_refresh"),
]
"""
# A view of the host's own behind our decorator, and one that counts in the second database.
OWN_VIEWS = """
from rest_framework.decorators import api_view
from rest_framework.response import Response
from billing.access import has_access
from visits.models import Visit


@api_view()
def my_report(request):
    Visit.objects.create(path=request.path)
    return Response({"may": has_access(request.user, plan="pro"), "visits": Visit.objects.count()})


urlpatterns += [path("my/report/", my_report)]
"""
DATABASES = """
DATABASES["replica"] = {{**DATABASES["default"], "HOST": {folder!r}}}
DATABASES["visits"] = {{"ENGINE": "django.db.backends.postgresql", {visits}}}
DATABASE_ROUTERS = ["mysite.routers.VisitsRouter", "mysite.routers.PrimaryReplicaRouter"]
"""
MENDED = """
DATABASE_ROUTERS = ["mysite.routers.BillingStays", *DATABASE_ROUTERS]
"""
PEOPLE = """
from django.contrib.auth.models import User

for name in ("ada", "ben"):
    User.objects.create_user(name, f"{name}@example.com", "correct-horse-battery")
"""
ON_THE_REPLICA = """
from django.contrib.auth.models import User

print(User.objects.using("replica").filter(username="ben").exists())
"""
SAID = """
from django.contrib.auth.models import User
from billing.access import has_access
from billing.models import StripeEvent

waiting = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).count()
print(*(has_access(User.objects.get(username=name), plan="pro") for name in ("ada", "ben")), waiting)
"""


@pytest.fixture(scope="module")
def shop(host):
    """The host's own project first, with its replica; then getting-started.md."""
    host.beside.append(installed_beside("jwt", "djangorestframework-simplejwt", "PyJWT"))
    for path, text in OWN_APP.items():
        host.write(path, text)
    host.write("mysite/routers.py", ROUTERS)
    host.add("mysite/settings.py", JWT)
    host.add("mysite/urls.py", JWT_URLS)
    host.manage("makemigrations", "visits")
    with new_database(f"visits_{os.getpid()}") as visits, standby(BEHIND) as folder:
        host.add("mysite/settings.py", DATABASES.format(folder=folder, visits=visits))
        host.add_all(recipe.for_a_new_project())
        yield host
        host.close()


@pytest.fixture(scope="module")
def sold(shop):
    """Mended as the check says, set up and served."""
    shop.add("mysite/routers.py", BILLING_STAYS)
    shop.add("mysite/settings.py", MENDED)
    shop.add("mysite/urls.py", OWN_VIEWS)
    shop.manage("setup")
    shop.manage("migrate", "visits", "--database", "visits")
    shop.run(PEOPLE)
    for command in recipe.commands():
        if command[0] not in {"setup", "createsuperuser"}:
            shop.follow(*command)
    until(lambda: shop.run(ON_THE_REPLICA) == "True", what="the people on the replica")
    return shop


class Client(requests.Session):
    """A front end with a token; without a name, without one."""

    def __init__(self, shop, name=""):
        super().__init__()
        self.shop = shop
        if name:
            given = {"username": name, "password": "correct-horse-battery"}
            self.pair = self.post(f"{shop.url}/api/token/", json=given, timeout=30).json()
            self.headers["Authorization"] = f"Bearer {self.pair['access']}"

    def ask(self, path, body=None):
        url = f"{self.shop.url}{path}"
        return self.post(url, json=body, timeout=30) if body is not None else self.get(url, timeout=30)

    def current(self):
        return self.ask("/api/v1/subscriptions/current").json()


def test_the_router_of_djangos_documentation_is_refused_with_what_to_return(shop):
    with pytest.raises(AssertionError, match=r"billing\.E014") as refused:
        shop.manage("check")
    assert '"default" for reads and writes of the apps "billing", "djstripe" and "django_q"' in str(refused.value)


def test_who_has_a_token_buys_has_access_and_cancels_and_the_other_has_nothing(sold):
    assert "no issues" in sold.manage("check")
    ada, ben = Client(sold, "ada"), Client(sold, "ben")
    session = ada.ask("/api/v1/subscriptions/checkout", {"plan": "pro", "interval": "month"}).json()["session_id"]
    paid = requests.post(f"{sold.sandbox_url}/_sandbox/checkout/{session}/complete", json={}, timeout=30)
    assert paid.status_code == 200
    until(lambda: ada.current()["has_access"], what="access")
    assert ada.ask(f"/api/v1/subscriptions/checkout/{session}").json()["outcome"] == "paid"
    assert ada.ask("/my/report/").json() == {"may": True, "visits": 1}
    assert ben.ask("/my/report/").json() == {"may": False, "visits": 2}
    assert ada.ask("/api/v1/usage/generations", {"quantity": 1}).json()["used"] == 1
    assert ada.ask("/api/v1/subscriptions/cancel", {"when": "period_end"}).json()["cancel_at"]
    # What was answered is read back at once: nothing waits for the replica.
    assert ada.current()["cancel_at"]
    assert ada.ask("/api/v1/subscriptions/cancel", {"when": "now"}).json()["status"] == "canceled"
    assert not ada.current()["has_access"]
    until(lambda: sold.run(SAID) == "False False 0", seconds=60, what="every event applied")


def test_a_stranger_sees_nothing_with_a_token_of_their_own_a_forged_a_stale_or_none(sold):
    ada, ben = Client(sold, "ada"), Client(sold, "ben")
    begun = ada.ask("/api/v1/subscriptions/checkout", {"plan": "pro", "interval": "month"}).json()["session_id"]
    assert ada.ask(f"/api/v1/subscriptions/checkout/{begun}").status_code == 200
    assert ben.ask(f"/api/v1/subscriptions/checkout/{begun}").status_code == 404
    assert '"in_' in ada.ask("/api/v1/subscriptions/invoices").text
    assert '"in_' not in ben.ask("/api/v1/subscriptions/invoices").text
    assert (ben.current()["plan"], ben.current()["status"]) == ("free", "none")
    refresh = ada.pair["refresh"]
    head, body, signature = ada.pair["access"].split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    for token in (refresh, forged, "x"):
        stranger = Client(sold)
        stranger.headers["Authorization"] = f"Bearer {token}"
        answer = stranger.ask("/api/v1/subscriptions/current")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), token
    nobody = Client(sold).ask("/api/v1/subscriptions/invoices")
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"].partition(" ")[0]) == (401, "Bearer")
    assert Client(sold).ask("/api/v1/plans").status_code == 200


def test_while_the_replica_lags_the_doctor_finds_all_in_order(sold):
    said = " ".join(sold.doctor().split())
    assert "passes all middleware and is stored" in said
    assert requests.get(f"{sold.url}/readyz", timeout=30).json()["status"] == "ready"


def test_the_replica_is_behind_and_nothing_of_ours_was_read_there(sold):
    """It has billing's tables two seconds later. A session of PostgreSQL there counts who has read what."""
    known = connection.settings_dict
    name = f"test_jwt_replica_{os.getpid()}"
    assert sold.run("from django.db import connections; connections['replica'].cursor(); print('opens')") == "opens"
    folder = sold.run("from django.conf import settings; print(settings.DATABASES['replica']['HOST'])")
    time.sleep(2)
    with psycopg.connect(host=folder, user=known["USER"], dbname=name) as copy:
        rows = copy.execute(
            "SELECT relname, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname LIKE 'billing_%'"
        ).fetchall()
    assert rows
    assert {table for table, scans in rows if scans} == set()

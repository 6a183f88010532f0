"""A host's PostgreSQL falls silent with queries in flight, and is back later: nobody restarts anything."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
import requests

from billing.tests.processes import until
from billing.tests.silent_proxy import silent_proxy

from . import recipe
from .browsing import Person

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]
pytest.importorskip("gunicorn", reason="no gunicorn here: pip install gunicorn")

# By default it is ten seconds, and two questions of five: this is the same, sooner.
BEHIND_A_BALANCER = """
from billing.hosting import POSTGRESQL_OPTIONS

DATABASES["default"] |= {{"HOST": "127.0.0.1", "PORT": {port}, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
DATABASES["default"]["OPTIONS"] = {{**POSTGRESQL_OPTIONS, "connect_timeout": 2}}
BILLING_UNANSWERED_SECONDS = 2
"""
THREADS = 3
ANSWERED_WITHIN = 30
PEOPLE = """
from django.contrib.auth.models import User

for name in ("ada", "ben"):
    User.objects.create_user(name, f"{name}@example.com", "correct-horse-battery")
"""
WHO_HAS_ACCESS = """
from django.contrib.auth.models import User
from billing.access import has_access
from billing.models import StripeEvent

waiting = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).count()
print(*(u.username for u in User.objects.order_by("username") if has_access(u, plan="pro")), waiting)
"""


@pytest.fixture(scope="module")
def balancer():
    with silent_proxy() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shop(host, balancer):
    host.add_all(recipe.for_a_new_project())
    host.manage("setup")
    host.run(PEOPLE)
    host.add("mysite/settings.py", BEHIND_A_BALANCER.format(port=balancer.port))
    for command in recipe.commands():
        match command[0]:
            case "setup" | "createsuperuser":
                pass
            case "runserver":
                served = ["gunicorn", "mysite.wsgi", "--bind", f"127.0.0.1:{host.web_port}", "--threads", str(THREADS)]
                host.serve_python("web", "-m", *served, ready=f"{host.url}/healthz")
            case _:
                host.follow(*command)
    yield host
    host.close()


def buy(shop, name):
    person = Person()
    person.log_in(f"{shop.url}/billing/", name, "correct-horse-battery")
    person.open(f"{shop.url}/")
    person.submit("/billing/checkout")
    person.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    return person


def ask(url):
    began = monotonic()
    answer = requests.get(url, timeout=90)
    return answer, monotonic() - began


def test_site_and_worker_give_up_and_go_on_by_themselves(shop, balancer):
    assert buy(shop, "ada").heading == "Welcome to Pro"
    until(lambda: shop.run(WHO_HAS_ACCESS) == "ada 0", seconds=60, what="Ada's events applied")
    before = {name: process.pid for name, process in shop.processes.items()}

    balancer.fall_silent()
    with ThreadPoolExecutor(THREADS + 1) as at_once:
        answers = list(at_once.map(ask, [f"{shop.url}/api/v1/plans"] * THREADS + [f"{shop.url}/readyz"]))
    assert [(answer.status_code, answer.json().get("code")) for answer, _ in answers[:THREADS]] == [
        (503, "unavailable")
    ] * THREADS
    assert answers[THREADS][0].status_code == 503
    assert max(seconds for _, seconds in answers) < ANSWERED_WITHIN
    assert ask(f"{shop.url}/healthz")[0].status_code == 200

    balancer.speak()
    until(lambda: ask(f"{shop.url}/api/v1/plans")[0].ok, seconds=60, what="the site")
    assert buy(shop, "ben").heading == "Welcome to Pro"
    until(lambda: shop.run(WHO_HAS_ACCESS) == "ada ben 0", seconds=90, what="Ben's events applied by the same worker")
    assert {name: process.pid for name, process in shop.processes.items() if process.poll() is None} == before
    assert "query given up" in shop.log("web") + shop.log("worker")

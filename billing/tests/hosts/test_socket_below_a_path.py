"""A host behind a web server that asks it by a Unix socket, below a path; its PostgreSQL listens on a socket too.

First the host knows the path by FORCE_SCRIPT_NAME, and the web server cuts it off. Then gunicorn is told.
"""

import re
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection

from billing.tests.processes import until

from . import recipe
from .browsing import Person
from .front import front

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]
pytest.importorskip("gunicorn", reason="no gunicorn here: pip install gunicorn")

BELOW = "/shop"
PEOPLE = """
from django.contrib.auth.models import User

for name in ("ada", "ben", "eve"):
    User.objects.create_user(name, f"{name}@example.com", "correct-horse-battery")
"""
WHO_HAS_ACCESS = """
from django.contrib.auth.models import User
from billing.access import has_access
from billing.models import StripeEvent

waiting = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).count()
print(*(u.username for u in User.objects.order_by("username") if has_access(u, plan="pro")), waiting)
"""
A_MAILS_LINK = """
from billing.lifecycle import invoice_links
from billing.site import absolute

print(absolute(invoice_links.page_of({invoice!r})))
"""


@pytest.fixture(scope="module")
def web(host):
    """All of getting-started.md, in a host that is served below a path."""
    host.add_all(recipe.for_a_new_project())
    host.add("mysite/settings.py", f'FORCE_SCRIPT_NAME = "{BELOW}"\nSITE_URL += "{BELOW}"')
    host.manage("setup")
    host.run(PEOPLE)
    with front(host.web_port, socket_of(host), BELOW) as web:
        serve(host)
        for command in recipe.commands():
            if command[0] not in {"setup", "createsuperuser", "runserver"}:
                host.follow(*(part.replace("8000/api", f"8000{BELOW}/api") for part in command))
        yield web
        host.close()


@pytest.fixture(scope="module")
def shop(host, web):
    return host


def socket_of(host):
    """A short path: a socket's name may have 107 characters."""
    return f"/tmp/shop-{host.web_port}.sock"


def serve(host, *more):
    command = ["-m", "gunicorn", "mysite.wsgi", "--bind", f"unix:{socket_of(host)}", "--threads", "4", *more]
    host.serve_python("web", *command, ready=f"{host.url}{BELOW}/healthz")


@pytest.fixture
def address(shop):
    return f"{shop.url}{BELOW}"


def buy(address, name):
    person = Person()
    person.log_in(f"{address}/billing/", name, "correct-horse-battery")
    person.open(f"{address}/")
    person.submit("/billing/checkout")
    person.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    return person


def test_the_database_is_reached_by_a_socket_and_check_finds_no_fault(shop):
    assert (connection.settings_dict["OPTIONS"].get("host") or connection.settings_dict["HOST"]).startswith("/")
    assert "no issues" in shop.manage("check")
    said = " ".join(shop.doctor().split())
    assert "passes all middleware and is stored" in said
    assert "two hours" not in said


def test_who_buys_comes_back_below_the_path_once_and_webhooks_arrive(shop, address):
    ada = buy(address, "ada")
    assert ada.heading == "Welcome to Pro"
    assert urlsplit(ada.page.url).path == f"{BELOW}/billing/return"
    until(lambda: shop.run(WHO_HAS_ACCESS) == "ada 0", seconds=60, what="events by the path")
    assert ada.open(f"{shop.url}/billing/").status_code == 404


def test_every_link_of_the_pages_leads_somewhere(shop, address):
    ada = Person()
    ada.log_in(f"{address}/billing/", "ada", "correct-horse-battery")
    for page in ("/", "/billing/", "/billing/change", "/billing/invoices"):
        ada.open(f"{address}{page}")
        links = set(re.findall(r'(?:href|action)="(/[^"#]*)"', ada.page.text))
        assert links
        for link in links:
            if "/static/" not in link and "logout" not in link:
                assert link.startswith(f"{BELOW}/"), (page, link)


def test_a_mails_link_opens_for_everybody_however_many_ask_by_the_one_socket(shop, address):
    ben = buy(address, "ben")
    links = {
        invoice: link_of(shop, address, invoice) for invoice in (invoice_of(ben, address), invoice_of("ada", address))
    }
    assert len(links) == 2
    first, second = links.values()
    # Invoices are counted each for itself, and never by the one address that all come from.
    assert {requests.get(first, allow_redirects=False, timeout=30).status_code for _ in range(31)} <= {302, 429}
    assert requests.get(second, allow_redirects=False, timeout=30).status_code == 302


def invoice_of(person, address):
    if isinstance(person, str):
        name, person = person, Person()
        person.log_in(f"{address}/billing/", name, "correct-horse-battery")
    return re.search(r"/billing/pay/(in_\w+)\.", person.open(f"{address}/billing/").text)[1]


def link_of(shop, address, invoice):
    link = shop.run(A_MAILS_LINK.format(invoice=invoice))
    assert link.startswith(f"{address}/billing/pay/{invoice}.")
    return link


def test_a_server_that_knows_the_path_by_itself_needs_the_sites_address_alone(shop, web, address):
    old = shop.processes.pop("web")
    old.terminate()
    old.wait(30)
    shop.add("mysite/settings.py", "FORCE_SCRIPT_NAME = None")
    web.cuts_off = False
    serve(shop, "--env", f"SCRIPT_NAME={BELOW}")
    eve = buy(address, "eve")
    assert eve.heading == "Welcome to Pro"
    assert urlsplit(eve.page.url).path == f"{BELOW}/billing/return"
    until(lambda: shop.run(WHO_HAS_ACCESS) == "ada ben eve 0", seconds=60, what="events by the path")
    assert link_of(shop, address, invoice_of(eve, address))

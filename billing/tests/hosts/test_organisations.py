"""docs/organisations.md, followed to the letter: organisations pay, members use, owners decide. On PostgreSQL."""

import json

import pytest
import requests

from billing.tests.processes import until

from . import recipe
from .browsing import Person

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

PAGE = recipe.PAGE.with_name("organisations.md")
PEOPLE = """
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from teams.members import join
from teams.models import Organisation

call_command("check", fail_level="WARNING")
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
password = make_password("correct-horse-battery")
User.objects.bulk_create(
    User(username=name, password=password, is_staff=True, is_superuser=name == "ada")
    for name in ("ada", "olga", "mia", "mo", "rex", "nils")
)
place = {"line1": "Storgata 1", "city": "Oslo", "postal_code": "0155", "country": "NO"}
acme = Organisation.objects.create(name="Acme", billing_email="bills@acme.example", address=place)
rival = Organisation.objects.create(name="Rival", billing_email="bills@rival.example")
join(acme, User.objects.get(username="olga"), is_owner=True)
join(acme, User.objects.get(username="mia"))
join(rival, User.objects.get(username="rex"), is_owner=True)
"""
MO_JOINS = """
from django.contrib.auth.models import User
from django.core.management import call_command
from teams.members import join, move
from teams.models import Organisation

acme = Organisation.objects.get(name="Acme")
join(acme, User.objects.get(username="mo"))
move(acme, {"line1": "Bryggen 3", "city": "Bergen", "postal_code": "5003", "country": "NO"})
call_command("explain_access", "bills@acme.example")
"""
MIA_LEAVES = """
from django.contrib.auth.models import User
from teams.members import leave

leave(User.objects.get(username="mia"))
"""
ACME_CLOSES = """
from teams.members import close
from teams.models import Organisation

close(Organisation.objects.get(name="Acme"))
"""
WHAT_IS_LEFT = """
import json
from billing.models import Customer, Payment
from teams.models import Organisation

print(json.dumps([
    list(Organisation.objects.values_list("name", flat=True)), Payment.objects.count(),
    list(Customer.objects.values_list("subscriber", "email")),
]))
"""


@pytest.fixture(scope="module")
def team(host):
    """The project after every step of both pages, with Acme (olga leads, mia), Rival (rex) and nils, who is nowhere."""
    for command in recipe.commands(PAGE)[:1]:
        host.follow(*command)
    host.add_all([*recipe.for_a_new_project(), *recipe.additions(PAGE)])
    for command in (*recipe.commands(PAGE)[1:], *recipe.commands()):
        if command != ["createsuperuser"]:  # ada is made with the others
            host.follow(*command)
    host.run(PEOPLE)
    return host


@pytest.fixture(scope="module")
def people(team):
    """Each logged in, by name."""
    found = {name: Person() for name in ("ada", "olga", "mia", "mo", "rex", "nils")}
    for name, person in found.items():
        person.log_in(f"{team.url}/billing/", name, "correct-horse-battery")
        assert person.heading == "Billing"
    return found


def at_stripe(team, path, **params):
    answer = requests.get(
        f"{team.sandbox_url}/v1/{path}", params=params, auth=("sk_test_sandbox0sandbox0sandbox0", ""), timeout=30
    )
    return answer.json()["data"]


def quantity(team):
    (subscription,) = at_stripe(team, "subscriptions", status="all")
    return subscription["items"]["data"][0]["quantity"]


def report_of(team, person):
    """Return what the page and the API answer."""
    page, api = person.open(f"{team.url}/report/"), person.open(f"{team.url}/api/report/")
    return page.text == "For subscribers of Pro.", api.status_code


def test_the_owner_buys_for_two_members_and_each_of_them_has_access(team, people):
    olga = people["olga"]
    olga.open(f"{team.url}/")
    assert "$40 for 2 seats" in olga.page.text
    olga.submit("/billing/checkout")
    olga.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    assert olga.heading == "Welcome to Pro"

    (customer,) = at_stripe(team, "customers")
    assert (customer["name"], customer["email"]) == ("Acme", "bills@acme.example")
    assert (customer["address"]["city"], quantity(team)) == ("Oslo", 2)
    assert {name: report_of(team, person) for name, person in people.items() if name != "ada"} == {
        "olga": (True, 200), "mia": (True, 200),
        "mo": (False, 403), "rex": (False, 403), "nils": (False, 403),
    }  # fmt: skip
    until(lambda: "$40.00 per month (2 × $20.00)" in olga.open(f"{team.url}/billing/").text, what="what two seats cost")


def test_a_member_who_is_no_owner_cannot_cancel(team, people):
    mia = people["mia"]
    mia.open(f"{team.url}/billing/")
    assert "ask the person who manages its billing" in mia.page.text
    assert '<p class="lead">Acme</p>' in mia.page.text
    headers = {"X-CSRFToken": mia.cookies["csrftoken"], "Referer": f"{team.url}/"}
    page = mia.post(f"{team.url}/billing/cancel", {"when": "now"}, headers=headers, timeout=30)
    api = mia.post(f"{team.url}/api/v1/subscriptions/cancel", json={"when": "now"}, headers=headers, timeout=30)
    assert (page.status_code, api.status_code, api.json()["code"]) == (403, 403, "may_not_manage")
    assert report_of(team, mia) == (True, 200)


def test_who_belongs_nowhere_is_told_so(team, people):
    assert "belong to any organisation" in people["nils"].open(f"{team.url}/").text
    assert people["nils"].open(f"{team.url}/api/v1/subscriptions/invoices").json()["code"] == "no_subscriber"


def test_who_joins_is_paid_for_and_who_leaves_is_out_at_once(team, people):
    assert "Acme (cus_" in team.run(MO_JOINS), "what staff are told of its address"
    assert report_of(team, people["mo"]) == (True, 200)
    until(lambda: quantity(team) == 3, what="a third seat at Stripe")
    assert sum(item["amount"] for item in at_stripe(team, "invoiceitems", pending="true")) > 1900
    until(lambda: at_stripe(team, "customers")[0]["address"]["city"] == "Bergen", what="the new address at Stripe")

    team.run(MIA_LEAVES)
    assert report_of(team, people["mia"]) == (False, 403)
    until(lambda: quantity(team) == 2, what="a seat less at Stripe")


def test_staff_find_the_organisation_by_its_address_and_open_its_page(team, people):
    ada = people["ada"]
    ada.open(f"{team.url}/admin/billing/customer/?q=bills@acme")
    assert "Acme" in ada.page.text
    (customer,) = at_stripe(team, "customers")
    ada.open(f"{team.url}/admin/billing/customer/{customer['id'].replace('_', '_5F')}/change/")
    assert ada.page.status_code == 200
    assert "Acme" in ada.page.text


def test_an_organisation_that_closes_is_billed_no_more_and_what_it_paid_stays(team, people):
    team.run(ACME_CLOSES)
    assert report_of(team, people["olga"]) == (False, 403)
    until(lambda: people["olga"].open(f"{team.url}/").text.count("belong to any organisation"), what="the end of Acme")
    assert [row["status"] for row in at_stripe(team, "subscriptions", status="all")] == ["canceled"]
    assert json.loads(team.run(WHAT_IS_LEFT)) == [["Rival"], 1, [[None, ""]]]

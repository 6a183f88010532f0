"""The customer's page tells of agreements and of price moves, to staff who may see those."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing import clock
from billing.lifecycle import agreements
from billing.models import Customer, Price, PriceMove, PriceMoveRow

pytestmark = pytest.mark.django_db(transaction=True)


def lines(client, customer, **query):
    html = client.get(f"/admin/billing/customer/{customer}/change/", query).content.decode()
    items = re.findall(r"<li>\s*<time.*?</li>", html.replace("<wbr>", ""), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


def member(*permissions):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_customer", *permissions]))
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def acme(world):
    user = world.sign_up("acme@example.com")
    agreements.start(user, key="order:7", plan="team", days_until_due=30, quantity=2)
    customer = Customer.objects.get(subscriber=user)
    old, new = Price.objects.get(lookup_key="team_month"), Price.objects.get(lookup_key="team_year")
    move = PriceMove.objects.create(old_price=old, new_price=new, notice_days=30, started_at=clock.now())
    PriceMoveRow.objects.create(
        move=move, subscription=customer.subscription, status="moved", currency="usd", old_amount=12_000,
        new_amount=15_000, told_at=clock.now(), moves_at=clock.now(), moved_at=clock.now(),
    )  # fmt: skip
    return customer.pk


def test_the_story_has_the_agreement_and_the_move_with_what_they_are_about(acme):
    told = lines(member("view_agreement", "view_pricemoverow"), acme, only="money")
    for words in (
        "Agreement drafted",
        "Agreement sent",
        "Agreement started",
        "2 × Team, billed monthly $120.00 per month, by the plan's price due in 30 days",
        "Told of a new price of Team",
        "Moved to a new price of Team $120.00 to $150.00",
    ):
        assert any(words in line.replace("&#x27;", "'") for line in told), (words, told)


def test_who_may_not_see_them_reads_nothing_of_them(acme):
    told = " ".join(lines(member("view_pricemoverow"), acme))
    assert "Moved to a new price" in told
    assert "Agreement" not in told


def test_a_bystander_has_none_in_theirs(world, acme):
    ben = world.subscribed(email="ben@example.com")
    told = " ".join(lines(member("view_agreement", "view_pricemoverow"), ben.customer))
    assert "Agreement" not in told
    assert "another price" not in told

"""Two members of staff act at the same moment on the pages of two customers of one subscriber."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse

from billing.models import Customer, Grant, Plan
from billing.subscriptions import grants
from billing.testing import now as sandbox_now
from billing.tests.parallel import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]


@pytest.fixture
def both(world):
    user = world.sign_up()
    return [Customer.objects.create(pk=pk, subscriber=user, is_current=pk == "cus_a").pk for pk in ("cus_a", "cus_b")]


@pytest.fixture
def slow(monkeypatch):
    """Giving, extending and ending take so long that both have looked before either has written."""
    for name in ("give", "extend", "revoke"):
        monkeypatch.setattr(grants, name, _slowly(getattr(grants, name)))


def _slowly(act):
    def acted(*args, **kwargs):
        time.sleep(0.3)
        return act(*args, **kwargs)

    return acted


def colleague(number):
    user = get_user_model().objects.create_superuser(f"staff{number}@example.com", "correct-horse-battery")
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="billing"))
    client = Client()
    client.force_login(user)
    return client


def posted(both, name, **given):
    """Both post the form as it was shown to both; `given` are what each of them chose."""
    clients = [colleague(number) for number in range(2)]
    paths = [reverse("admin:billing_customer_action", args=[customer, name]) for customer in both]
    forms = [client.get(path).context["form"] for client, path in zip(clients, paths, strict=True)]

    def post(number):
        shown = {field.name: getattr(field.initial, "pk", field.initial) for field in forms[number]}
        chosen = {key: values[number] for key, values in given.items()}
        known = {key: value for key, value in shown.items() if value is not None}
        return clients[number].post(paths[number], {**known, "reason": "they wrote to us", **chosen})

    answers = at_once(post, 2)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    return refused[0].content.decode()


def until():
    return (sandbox_now() + timedelta(days=10)).date().isoformat()


def given_by_staff(user):
    with transaction.atomic():
        grants.give(user, plan="team", until=sandbox_now() + timedelta(days=5), source="staff:before")


def test_one_gives_and_the_other_sees_that_it_is_given_already(both, slow):
    plans = [Plan.objects.get(slug=slug).pk for slug in ("team", "pro")]
    page = posted(both, "grant", plan=plans, until=[until()] * 2)
    assert "Somebody else has changed this" in page
    assert "In force already" in page
    assert Grant.objects.count() == 1


def test_one_ends_it_and_the_other_is_not_told_that_they_did(both, slow):
    given_by_staff(Customer.objects.get(pk="cus_a").subscriber)
    posted(both, "end-grant")
    assert Grant.objects.get().ended_at is not None


def test_what_one_has_ended_the_other_does_not_extend(both, slow):
    user = Customer.objects.get(pk="cus_a").subscriber
    given_by_staff(user)
    grant = Grant.objects.get()
    end, extend = colleague(2), colleague(3)
    paths = [reverse("admin:billing_customer_action", args=[pk, name]) for pk, name in zip(both, NAMES, strict=True)]

    def post(number):
        time.sleep(number * 0.1)
        what = {"grant": grant.pk, "reason": "because", "until": until()}
        return (end, extend)[number].post(paths[number], what).status_code

    assert at_once(post, 2) == [302, 409]
    assert Grant.objects.get().until == grant.until


NAMES = ("end-grant", "extend-grant")

"""A host's back office starts subscriptions that are paid by invoice, over the API."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing import access
from billing.models import Agreement, Subscription

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/agreements"


@pytest.fixture
def office(world):
    bot = get_user_model().objects.create_user(email="office@example.com", password=None, is_staff=True)
    bot.user_permissions.set(Permission.objects.filter(codename="send_agreement"))
    client = Client()
    client.force_login(bot)
    return client


@pytest.fixture
def ada(world):
    return world.sign_up()


def post(client, path="", **body):
    return client.post(f"{URL}{path}", body, content_type="application/json")


def order(ada, **more):
    return {"subscriber": ada.pk, "plan": "team", "key": "order:7", "days_until_due": 14, **more}


def test_drafted_and_then_sent(office, ada):
    draft = post(office, **order(ada, amount=150_000, po_number="4711"))
    told = draft.json()
    assert (draft.status_code, told["status"], told["amount"], told["currency"]) == (201, "draft", 150_000, "usd")
    assert not access.has_access(ada)
    sent = post(office, f"/{told['id']}/send").json()
    assert (sent["status"], sent["subscription"][:4], sent["invoice"][:3]) == ("started", "sub_", "in_")
    assert access.has_access(ada, plan="team")
    assert office.get(f"{URL}/{told['id']}").json()["started_at"].endswith("Z")
    assert [row["id"] for row in office.get(f"{URL}?subscriber={ada.pk}").json()] == [told["id"]]


def test_a_retry_with_the_same_key_starts_one(world, office, ada):
    first, again = (post(office, **order(ada, send=True)).json() for _ in range(2))
    assert (first["status"], first["id"]) == ("started", again["id"])
    assert len(world.stripe("GET", "subscriptions")["data"]) == 1
    other = post(office, **order(ada, quantity=3))
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"days_until_due": -1}, "days_out_of_range"),
        ({"amount": 0}, "amount_out_of_range"),
        ({"amount": 5, "currency": "xyz"}, "currency_not_offered"),
        ({"starts_on": "2001-01-01"}, "start_in_past"),
        ({"trial_days": 731}, "trial_out_of_range"),
        ({"discount": "NOPE"}, "discount_unknown"),
        ({"plan": "free"}, "price_not_offered"),
        ({"amount": "many"}, "invalid_request"),
        ({"subscriber": str(uuid.uuid4())}, "invalid_request"),
        ({"subscriber": None}, "invalid_request"),
        ({"starts_on": "soon"}, "invalid_request"),
        ({"key": ""}, "invalid_request"),
    ],
)
def test_what_cannot_be_has_a_code_and_a_sentence_and_writes_nothing(office, ada, wrong, code):
    answer = post(office, **{**order(ada, send=True), **wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["detail"].endswith((".", "!"))
    assert not Agreement.objects.exists()


def test_beside_a_live_subscription_it_is_a_conflict(world, office):
    ada = world.subscribed()
    answer = post(office, **order(ada.user, send=True))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_subscribed")
    assert Agreement.objects.get().status == "refused"


def test_discarded(office, ada):
    told = post(office, **order(ada)).json()
    assert office.delete(f"{URL}/{told['id']}").json()["status"] == "discarded"
    answer = post(office, f"/{told['id']}/send")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_draft")


def test_a_trial_and_a_discount_are_agreed_and_a_coupon_in_another_currency_is_refused(world, office, ada):
    made = {}
    for currency in ("usd", "eur"):
        made[currency] = world.stripe("POST", "coupons", amount_off=500, currency=currency, duration="once")["id"]
    answer = post(office, **order(ada, trial_days=7, discount=made["eur"]))
    assert (answer.status_code, answer.json()["code"]) == (400, "discount_other_currency")
    told = post(office, **order(ada, trial_days=7, discount=made["usd"], send=True)).json()
    assert (told["status"], told["trial_days"], told["discount"]) == ("started", 7, made["usd"])
    assert Subscription.objects.get().status == "trialing"


def test_while_stripe_is_down_a_discount_cannot_be_looked_up(world, office, ada):
    with world.down():
        answer = post(office, **order(ada, discount="WELCOME"))
    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_unavailable")
    assert not Agreement.objects.exists()


def test_while_stripe_is_down_the_status_says_that_it_is_being_started(world, office, ada):
    with world.writes_failing():
        assert post(office, **order(ada, send=True)).json()["status"] == "starting"


def test_only_staff_with_the_permission(world, ada):
    client = Client()
    assert post(client, **order(ada)).status_code == 401
    client.force_login(ada)
    answer = post(client, **order(ada))
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    ada.is_staff = True
    ada.save()
    assert post(client, **order(ada)).status_code == 403
    assert client.get(f"{URL}/{uuid.uuid4()}").status_code == 403


def test_an_agreement_that_does_not_exist(office):
    answer = office.get(f"{URL}/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

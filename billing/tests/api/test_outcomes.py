"""How a Checkout ended, for a front end of its own: each outcome, what to do next, and nobody else's rows."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework.test import APIClient

from billing.models import Payment
from billing.setup import publishing_packs

pytestmark = pytest.mark.django_db(transaction=True)
CHECKOUT, PACKS = "/api/v1/subscriptions/checkout", "/api/v1/purchases/checkout"
PRO = {"plan": "pro", "interval": "month"}


def signed_in(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def ada(world):
    return signed_in(world.sign_up())


@pytest.fixture
def begun(ada):
    return ada.post(CHECKOUT, PRO).json()


def said(client, session, path=CHECKOUT):
    answer = client.get(f"{path}/{session}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_while_nothing_is_paid_the_buyer_goes_on_where_they_were(ada, begun):
    assert said(ada, begun["session_id"]) == {
        "session_id": begun["session_id"],
        "outcome": "pending",
        "next": "continue",
        "detail": "The payment is not finished, and nothing was charged. Continue where you left off.",
        "url": begun["url"],
        "retry_after": None,
        "is_ready": False,
    }


def test_what_is_paid_is_ready_before_any_webhook_and_is_recorded_once(world, ada, begun):
    world.control(f"checkout/{begun['session_id']}/complete")
    for _ in range(2):
        found = said(ada, begun["session_id"])
        assert (found["outcome"], found["next"], found["url"], found["is_ready"]) == ("paid", "nothing", "", True)
    world.deliver()
    assert Payment.objects.count() == 1
    assert ada.get("/api/v1/subscriptions/current").json()["plan"] == "pro"


@pytest.mark.parametrize(("settled", "then"), [("succeeded", "paid"), ("failed", "failed")])
def test_a_payment_that_takes_days_is_asked_for_again(world, ada, begun, settled, then):
    session = begun["session_id"]
    world.control(f"checkout/{session}/complete", outcome="processing")
    found = said(ada, session)
    assert (found["outcome"], found["next"], found["retry_after"]) == ("processing", "ask_again", 5)
    (intent,) = world.stripe("GET", "payment_intents")["data"]
    world.control(f"payments/{intent['id']}", outcome=settled)
    assert said(ada, session)["outcome"] == then


def test_an_expired_one_is_begun_again(world, ada, begun):
    world.stripe("POST", f"checkout/sessions/{begun['session_id']}/expire")
    found = said(ada, begun["session_id"])
    assert (found["outcome"], found["next"], found["url"]) == ("expired", "begin_again", "")
    assert ada.post(CHECKOUT, PRO).json()["session_id"] != begun["session_id"]


@pytest.mark.parametrize("session", ["cs_test_nobody", "%00", "cs_%0a", "x" * 300, "' OR 1=1"])
def test_a_session_that_is_not_theirs_is_not_found_and_stripe_is_not_asked(world, ada, begun, session):
    world.control("faults", api={"status": 500})
    answer = ada.get(f"{CHECKOUT}/{session}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_stranger_finds_neither_a_subscription_nor_a_pack_of_adas(world, ada, begun):
    publishing_packs.publish()
    bought = ada.post(PACKS, {"pack": "credits_1000"}).json()
    eve = signed_in(get_user_model().objects.create_user("eve@example.com"))
    for path, session in ((CHECKOUT, begun["session_id"]), (PACKS, bought["session_id"])):
        assert eve.get(f"{path}/{session}").status_code == 404
        assert APIClient().get(f"{path}/{session}").status_code == 401
    assert ada.get(f"{CHECKOUT}/{bought['session_id']}").status_code == 404, "a pack is asked for among purchases"


def test_a_pack_is_delivered_as_its_front_end_asks(world, ada):
    publishing_packs.publish()
    bought = ada.post(PACKS, {"pack": "credits_1000"}).json()
    found = said(ada, bought["session_id"], PACKS)
    assert (found["outcome"], found["url"], found["is_ready"]) == ("pending", bought["url"], False)
    world.control(f"checkout/{bought['session_id']}/complete")
    found = said(ada, bought["session_id"], PACKS)
    assert (found["outcome"], found["next"], found["is_ready"]) == ("paid", "nothing", True)
    [purchase] = ada.get("/api/v1/purchases").json()
    assert purchase["grants"]["credits"] == 1000


def test_while_stripe_is_away_it_says_when_to_ask_again(world, ada, begun):
    with world.down():
        answer = ada.get(f"{CHECKOUT}/{begun['session_id']}")
    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert said(ada, begun["session_id"])["outcome"] == "pending"


def test_it_is_asked_at_most_twenty_times_a_minute(ada, begun, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    answers = [ada.get(f"{CHECKOUT}/{begun['session_id']}") for _ in range(21)]
    assert {answer.status_code for answer in answers[:20]} == {200}
    assert (answers[20].status_code, answers[20].json()["code"]) == (429, "rate_limited")
    assert int(answers[20]["Retry-After"]) > 0


def test_the_answer_is_kept_by_no_cache(ada, begun):
    answer = ada.get(f"{CHECKOUT}/{begun['session_id']}")
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))

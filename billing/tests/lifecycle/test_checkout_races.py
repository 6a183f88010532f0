"""Another tab, the buyer or a webhook acts while a Checkout is being started: no two sessions can be paid."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from billing import stripe_client
from billing.lifecycle import checkout
from billing.lifecycle.customers import customer_for
from billing.models import CheckoutAttempt, Price

pytestmark = pytest.mark.django_db
Status = CheckoutAttempt.Status


@pytest.fixture
def ada(world):
    return world.sign_up()


@pytest.fixture
def bens(world):
    """Another's attempt, without a session yet: nothing here is theirs."""
    customer = customer_for(world.sign_up("ben@example.com"))
    attempt = CheckoutAttempt.objects.create(customer=customer, price=price(), quantity=1)
    before = CheckoutAttempt.objects.filter(pk=attempt.pk).values().get()
    yield attempt
    assert CheckoutAttempt.objects.filter(pk=attempt.pk).values().get() == before


def price(plan="pro"):
    return Price.objects.get(lookup_key=f"{plan}_month")


def wanted(plan="pro", quantity=1, currency=""):
    return checkout.Wanted(price(plan), currency, quantity)


def attempt_of(ada, plan="pro", **columns):
    return CheckoutAttempt.objects.create(customer=customer_for(ada), price=price(plan), **{"quantity": 1, **columns})


def sessions(world):
    return {row["id"]: row["status"] for row in world.stripe("GET", "checkout/sessions")["data"]}


def meanwhile(monkeypatch, verb, path, act):
    """Do `act` once, just before the first call of that kind is made."""
    call, done = getattr(stripe_client, verb), []

    def after_it(at, **params):
        if at.endswith(path) and not done:
            done.append(True)
            act()
        return call(at, **params)

    monkeypatch.setattr(stripe_client, verb, after_it)
    monkeypatch.setattr(stripe_client.client, verb, after_it)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [({}, True), ({"quantity": 2}, False), ({"currency": "eur"}, False), ({"price": "team"}, False)],
)
def test_what_is_wanted_is_the_price_the_currency_and_the_number(world, ada, other, is_same):
    attempt = attempt_of(ada, other.pop("price", "pro"), **other)
    assert wanted().is_of(attempt) is is_same


def test_a_second_tab_that_opened_another_choice_meanwhile_keeps_it_and_this_one_makes_no_session(
    world, ada, bens, monkeypatch
):
    theirs = []
    meanwhile(monkeypatch, "get", "/v1/subscriptions", lambda: theirs.append(attempt_of(ada, "team")))
    with pytest.raises(checkout.CheckoutReplaced):
        checkout.start(ada, "pro", "month")
    assert sessions(world) == {}
    theirs[0].refresh_from_db()
    assert (theirs[0].status, theirs[0].session_id) == (Status.OPEN, "")


def test_a_second_tab_that_made_the_same_meanwhile_is_gone_on_with_and_asked_for_nothing_more(
    world, ada, bens, monkeypatch
):
    theirs = []
    meanwhile(
        monkeypatch, "get", "/v1/subscriptions", lambda: theirs.append(attempt_of(ada, session_id="cs_1", url="u"))
    )
    found = checkout.start(ada, "pro", "month")
    assert (found.pk, found.session_id, found.url) == (theirs[0].pk, "cs_1", "u")
    assert sessions(world) == {}


def test_an_attempt_that_was_closed_while_its_session_was_made_has_that_expired(world, ada, bens, monkeypatch):
    adas = CheckoutAttempt.objects.filter(customer=customer_for(ada))
    meanwhile(monkeypatch, "post", "/checkout/sessions", lambda: adas.update(status=Status.EXPIRED))
    with pytest.raises(checkout.CheckoutReplaced):
        checkout.start(ada, "pro", "month")
    assert list(sessions(world).values()) == ["expired"]
    assert adas.get().session_id == "", "nobody has seen its address"


def test_an_attempt_that_another_closed_as_it_was_opened_is_no_error_of_ours(world, ada, monkeypatch):
    """The index refused ours, and what it was refused for is gone already."""

    customer_for(ada)

    def refused(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(CheckoutAttempt.objects._queryset_class, "create", refused)
    with pytest.raises(checkout.CheckoutReplaced):
        checkout.start(ada, "pro", "month")
    assert (sessions(world), CheckoutAttempt.objects.count()) == ({}, 0)


def test_a_session_that_is_paid_as_it_is_to_expire_is_bought_and_nothing_more_is_sold(world, ada, bens, monkeypatch):
    first = checkout.start(ada, "pro", "month")
    pay = f"checkout/{first.session_id}/complete"
    meanwhile(monkeypatch, "post", "/expire", lambda: world.control(pay, payment_method="pm_card_visa"))
    with pytest.raises(checkout.AlreadySubscribed):
        checkout.start(ada, "team", "month")
    first.refresh_from_db()
    assert (first.status, list(sessions(world).values())) == (Status.COMPLETED, ["complete"])


def test_a_session_that_was_paid_as_it_is_looked_at_is_bought(world, ada, bens, monkeypatch):
    first = checkout.start(ada, "pro", "month")
    pay = f"checkout/{first.session_id}/complete"
    meanwhile(monkeypatch, "get", first.session_id, lambda: world.control(pay, payment_method="pm_card_visa"))
    with pytest.raises(checkout.AlreadySubscribed):
        checkout.start(ada, "pro", "month")
    first.refresh_from_db()
    assert first.status == Status.COMPLETED


def no_language(_subscriber, _attempt):
    return {"locale": "klingon"}


def test_a_refusal_closes_its_own_attempt_alone(world, ada, bens, settings):
    settings.BILLING_CHECKOUT = "billing.tests.lifecycle.test_checkout_races.no_language"
    with pytest.raises(stripe_client.StripeRefused):
        checkout.start(ada, "team", "month")
    assert CheckoutAttempt.objects.get(customer__subscriber=ada).status == Status.EXPIRED


def test_an_attempt_at_a_price_that_stripe_does_not_know_is_closed_and_made_anew_at_the_true_one(world, ada, bens):
    Price.objects.filter(lookup_key="team_month").update(id="price_unknown_at_stripe")
    made = checkout.start(ada, "team", "month")
    assert made.price_id == price("team").pk != "price_unknown_at_stripe"
    refused = CheckoutAttempt.objects.exclude(pk=made.pk).get(customer__subscriber=ada)
    assert (refused.status, list(sessions(world).values())) == (Status.EXPIRED, ["open"])


# An attempt without a session


@pytest.mark.parametrize(("ago", "is_gone_on_with"), [(0, True), (1, False)])
def test_an_attempt_is_gone_on_with_for_ten_minutes_to_the_last(world, ada, bens, time_machine, ago, is_gone_on_with):
    attempt = attempt_of(ada)
    time_machine.move_to(attempt.created_at + checkout.GIVE_UP_AFTER + timedelta(microseconds=ago), tick=False)
    assert checkout._attempt_to_expire(attempt, wanted()) is None
    attempt.refresh_from_db()
    assert (attempt.status == Status.OPEN) is is_gone_on_with


def test_a_fresh_attempt_of_another_choice_is_closed(world, ada, bens):
    attempt = attempt_of(ada)
    assert checkout._attempt_to_expire(attempt, wanted("team")) is None
    attempt.refresh_from_db()
    assert attempt.status == Status.EXPIRED


@pytest.mark.parametrize(("status", "is_to_be_expired"), [("open", True), ("expired", False), ("completed", False)])
def test_an_attempt_that_got_its_session_meanwhile_is_to_be_expired_unless_it_ended_too(
    world, ada, bens, status, is_to_be_expired
):
    attempt = attempt_of(ada)
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(session_id="cs_1", status=status)
    found = checkout._attempt_to_expire(attempt, wanted("team"))
    assert (found == attempt if is_to_be_expired else found is None) is True
    attempt.refresh_from_db()
    assert (attempt.status, attempt.session_id) == (status, "cs_1")


# Coming back


@pytest.mark.parametrize(("fails", "outcome"), [(False, "processing"), (True, "failed")])
def test_a_delayed_payment_is_processing_until_it_has_failed(world, ada, fails, outcome):
    attempt = checkout.start(ada, "pro", "month")
    world.control(f"checkout/{attempt.session_id}/complete", outcome="processing")
    if fails:
        world.control(f"checkout/{attempt.session_id}/complete", outcome="declined")
        world.advance(hours=24)
    assert checkout.refresh_outcome(attempt) == outcome


def test_what_an_invoice_says_of_itself_is_asked_for_at_checkout(world, ada, settings):
    settings.BILLING_INVOICE = {"memo": "Thank you."}
    customer_for(ada)
    attempt = checkout.start(ada, "pro", "month", "")
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    assert [row["description"] for row in world.stripe("GET", "subscriptions")["data"]] == ["Thank you."]

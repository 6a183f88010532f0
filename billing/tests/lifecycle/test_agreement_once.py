"""An agreement starts one subscription, whoever clicks twice, dies, is away or buys meanwhile."""

from unittest import mock

import pytest

from billing import access, clock, stripe_client
from billing.lifecycle import agreements, checkout, refusals
from billing.lifecycle.agreements import AgreementRefused
from billing.models import (
    Agreement,
    CheckoutAttempt,
    Hold,
    Invoice,
    Price,
    Subscription,
)
from billing.stripe_client import StripeUnavailable
from billing.tests.lifecycle.test_agreement_starts import today
from billing.tests.lifecycle.test_agreements import TERMS, refused, subscriptions_at_stripe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    return world.sign_up()


# Once, whatever happens


def test_sent_twice_it_starts_one(world, ada):
    draft = agreements.draft(ada, **TERMS)
    first, again = agreements.send(draft), agreements.send(Agreement.objects.get())
    assert first.subscription_id == again.subscription_id
    assert len(subscriptions_at_stripe(world, first.customer_id)) == 1


def test_two_clicks_at_once_start_one(world, ada, at_once):
    draft = agreements.draft(ada, **TERMS)
    clicks = [at_once(lambda: agreements.send(Agreement.objects.get(pk=draft.pk)).status) for _ in range(2)]
    assert {click.result() for click in clicks} <= {"started", "starting", "sent"}
    agreements.each_minute()
    assert Agreement.objects.get().status == "started"
    assert Subscription.objects.count() == 1


def test_the_same_key_drafts_one_agreement_and_other_terms_are_refused(world, ada):
    first = agreements.draft(ada, **TERMS, key="order:7", po_number=" 4711 ")
    assert agreements.draft(ada, **TERMS, key="order:7", po_number="4711").pk == first.pk
    for other in ({"amount": 5000}, {"plan": "pro"}, {"days_until_due": 14}, {"starts_on": today(3)}):
        assert refused(ada, key="order:7", **other) == "key_reused"
    with pytest.raises(AgreementRefused, match="other terms"):
        agreements.draft(world.sign_up("ben@example.com"), **TERMS, key="order:7", po_number="4711")


def test_a_lost_answer_is_made_good_and_nothing_is_made_twice(world, ada):
    draft = agreements.draft(ada, **TERMS, amount=99_000)
    world.control("faults", api={"lose_answer": 3})  # as often as the SDK asks
    assert agreements.send(draft).status == "starting"
    for _ in range(3):  # of the price, the subscription, the invoice
        world.control("faults", api={"lose_answer": 3})
        agreements.each_minute()
    world.control("faults")
    agreements.each_minute()
    sent = Agreement.objects.get()
    assert sent.status == "started"
    assert len(world.stripe("GET", "customers")["data"]) == 1
    assert len(subscriptions_at_stripe(world, sent.customer_id)) == 1
    assert Price.objects.filter(unit_amount=99_000).count() == 1


def test_killed_after_stripe_made_it_the_next_minute_goes_on_with_what_is_there(world, ada):
    draft = agreements.draft(ada, **TERMS)
    record = mock.patch("billing.lifecycle.agreements.starting._record", side_effect=KeyboardInterrupt)
    with record, pytest.raises(KeyboardInterrupt):
        agreements.send(draft)
    assert Agreement.objects.get().status == "starting"
    Agreement.objects.update(refusals=1)  # as if Stripe had forgotten the idempotency key
    assert agreements.each_minute() == "1 agreements started"
    assert len(subscriptions_at_stripe(world, Agreement.objects.get().customer_id)) == 1


@pytest.mark.parametrize("writes", range(1, 5), ids=["customer", "price", "subscription", "invoice"])
def test_killed_after_any_write_the_next_minute_goes_on(world, ada, writes):
    draft, done, post = agreements.draft(ada, **TERMS, amount=99_000), [], stripe_client.post

    def dies(path, **params):
        answer = post(path, **params)
        done.append(path)
        if len(done) == writes:
            raise KeyboardInterrupt
        return answer

    with mock.patch("billing.stripe_client.post", dies), pytest.raises(KeyboardInterrupt):
        agreements.send(draft)
    assert (len(done), Agreement.objects.get().status) == (writes, "starting")
    assert agreements.each_minute() == "1 agreements started"
    assert len(world.stripe("GET", "customers")["data"]) == 1
    assert len(subscriptions_at_stripe(world, Agreement.objects.get().customer_id)) == 1
    assert Invoice.objects.get().status == "open"
    assert Price.objects.filter(unit_amount=99_000).count() == 1


def test_what_stripe_has_made_is_never_called_refused(world, ada):
    draft = agreements.draft(ada, **TERMS)
    refusal = stripe_client.InvalidRequest("No", "invoice")
    with mock.patch("billing.lifecycle.agreements.starting._record", side_effect=refusal):
        assert agreements.send(draft).status == "starting"
    with pytest.raises(AgreementRefused):
        agreements.discard(draft)
    assert agreements.each_minute() == "1 agreements started"


def test_while_stripe_is_down_it_waits_and_then_starts(world, ada):
    with world.writes_failing():
        sent = agreements.send(agreements.draft(ada, **TERMS))
        assert (sent.status, agreements.each_minute()) == ("starting", "0 agreements started")
    assert not access.has_access(ada)
    with mock.patch("billing.stripe_client.get", side_effect=StripeUnavailable):
        agreements.each_minute()
    assert agreements.each_minute() == "1 agreements started"


# Never beside another


def test_beside_a_live_one_of_the_line_nothing_starts(world):
    ada = world.subscribed()
    draft = agreements.draft(ada.user, **TERMS)
    with pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("already_subscribed", "refused")
    assert len(subscriptions_at_stripe(world, ada.customer)) == 1
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    assert agreements.send(Agreement.objects.get()).status == "started"


def test_an_open_checkout_of_the_line_is_expired_so_that_nobody_pays_twice(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    agreements.start(ada, key="quote:1", **TERMS)
    assert world.stripe("GET", f"checkout/sessions/{attempt.session_id}")["status"] == "expired"
    assert not CheckoutAttempt.objects.filter(status="open").exists()


def test_a_buyer_gives_way_while_an_agreement_is_being_started(world, ada):
    with world.writes_failing():
        agreements.start(ada, key="quote:1", **TERMS)
    with pytest.raises(refusals.AlreadySubscribed):
        checkout.start(ada, "pro", "month")
    assert not CheckoutAttempt.objects.filter(status="open").exists()
    agreements.each_minute()
    with pytest.raises(refusals.AlreadySubscribed):
        checkout.start(ada, "pro", "month")


def test_of_two_agreements_of_a_line_one_starts(world, ada):
    agreements.start(ada, key="quote:1", **TERMS)
    with pytest.raises(AgreementRefused) as error:
        agreements.start(ada, key="quote:2", **TERMS)
    assert error.value.code == "already_subscribed"
    with world.writes_failing():
        ben = world.sign_up("ben@example.com")
        agreements.start(ben, key="quote:3", **TERMS)
        with pytest.raises(AgreementRefused):
            agreements.start(ben, key="quote:4", **TERMS)


def test_access_on_hold_starts_nothing(world):
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    Hold.objects.create(customer_id=ada.customer, kind="staff", reference="1", placed_at=clock.now())
    with pytest.raises(AgreementRefused) as error:
        agreements.start(ada.user, key="quote:1", **TERMS)
    assert error.value.code == "access_on_hold"

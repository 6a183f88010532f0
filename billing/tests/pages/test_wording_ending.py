"""Once we have decided that a subscription ends, the page says so, and no more that it goes on."""

import pytest
from django.db import transaction
from django.test import Client

from billing import testing
from billing.lifecycle import overview
from billing.models import Hold, StripeWrite
from billing.pages import next_words, status_words, wording
from billing.subscriptions import grants, holds
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = "Your subscription is being cancelled and does not renew."


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def refunded(world, ada):
    """All of the period was given back, and Stripe does not take our cancellation yet."""
    world.refund(ada)
    world.deliver(work=False)
    with world.writes_failing():
        testing.work()
    assert ada.access.reason == "hold_refund"
    return ada


def now(subscriber):
    return overview.overview_of(subscriber.user)


def said(subscriber):
    return {banner.headline: banner.sentence for banner in wording.banners(now(subscriber))}


def page(subscriber):
    client = Client()
    client.force_login(subscriber.user)
    return client.get("/billing/").content.decode()


def test_after_a_full_refund_it_ends_and_charges_nothing(world, refunded):
    sentence = said(refunded)["Your payment was refunded"]
    assert "We refunded the current period in full" in sentence
    assert ENDS in sentence
    assert "goes on" not in sentence
    assert (now(refunded).next_charge, next_words.next_date(now(refunded))) == (None, None)
    assert status_words.status_words(now(refunded)) == "Being cancelled"
    shown = page(refunded)
    assert "Next payment" not in shown
    assert "unless you cancel" not in shown
    assert "Change plan" not in shown


def test_also_once_stripe_has_cancelled_and_no_event_has_told_it_yet(world, ada):
    world.refund(ada)
    world.deliver()
    assert ada.row.status == "active", "its end is not delivered"
    assert ENDS in said(ada)["Your payment was refunded"]
    world.deliver()
    assert list(said(ada)) == ["Your subscription has ended"]


def test_a_refund_that_fails_has_it_go_on_again(world, refunded):
    [refund] = world.stripe("GET", "refunds")["data"]
    world.control(f"refunds/{refund['id']}/fail")
    with world.writes_failing():
        world.deliver()
    assert StripeWrite.objects.get().withdrawn_at
    assert said(refunded) == {}
    assert next_words.next_date(now(refunded))[0] == "Next payment"
    assert now(refunded).next_charge.amount == 2000


def test_a_lost_dispute_ends_it_too_and_access_is_not_promised_back(world, ada):
    dispute = world.dispute(ada)
    world.deliver()
    assert "Access comes back" in said(ada)["Access paused: a payment is disputed"]
    world.close_dispute(dispute, "lost")
    with world.writes_failing():
        world.deliver()
    (sentence,) = said(ada).values()
    assert ENDS in sentence
    assert "comes back" not in sentence


def test_under_a_hold_that_ends_nothing_it_still_goes_on(world, ada):
    holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7")
    (sentence,) = said(ada).values()
    assert "Your subscription continues" in sentence
    assert "unless you cancel before then" in sentence


def test_beside_what_was_given_an_ended_one_is_not_being_cancelled_for_ever(world, ada):
    world.refund(ada)
    world.deliver()
    world.deliver()
    with transaction.atomic():
        grants.give(ada.user, plan="team", source="case 7")
    assert (ada.row.status, now(ada).is_cancelling, ada.access.reason) == ("canceled", False, "grant")
    assert status_words.status_words(now(ada)) == "Yours permanently"
    assert said(ada) == {}


def test_when_staff_let_them_in_again_meanwhile_it_ends_all_the_same(world, refunded):
    held = Hold.objects.active().get()
    holds.release(customer_row(refunded), Hold.Kind(held.kind), held.reference)
    assert refunded.access.has_access
    assert said(refunded) == {
        "Your subscription is being cancelled": f"{ENDS} You can choose a plan again once it has ended."
    }

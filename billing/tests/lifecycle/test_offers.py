"""A discount is offered to a subscriber who is about to cancel; taken up, it is given once."""

from contextlib import suppress

import pytest

from billing.lifecycle import cancel, offers, refusals
from billing.models import CancelOffer, Discount, Payment
from billing.setup.doctor import functions
from billing.stripe_client import StripeUnavailable
from billing.tests.parallel import at_once

pytestmark = pytest.mark.django_db
OFFER = f"{__name__}.a_third_less"


def a_third_less(subscription):
    return {"percent_off": 33, "months": 3}


def nothing(subscription):
    return None


def nonsense(subscription):
    return {"percent_off": 200, "months": 3}


@pytest.fixture
def ada(world, settings):
    settings.BILLING_CANCEL_OFFER = OFFER
    return world.subscribed()


def test_taken_up_it_takes_a_share_off_the_next_payments(world, ada):
    offer = offers.offer_for(ada.row)
    row = offers.take_up(ada.user, offer.token)
    discount = Discount.objects.get()
    assert (discount.saves, row.cancel_at) == (660, None)
    assert CancelOffer.objects.get().made_at is not None
    world.advance(days=32)
    world.deliver()
    assert Payment.objects.order_by("paid_at").last().amount == 1340


def test_it_is_given_once(world, ada):
    offer = offers.offer_for(ada.row)
    offers.take_up(ada.user, offer.token)
    assert offers.offer_for(ada.row) is None
    with pytest.raises(refusals.OfferGone):
        offers.take_up(ada.user, offer.token)
    assert Discount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_take_it_once(world, ada):
    token = offers.offer_for(ada.row).token
    at_once(lambda _: _quietly(ada.user, token), 2)
    assert Discount.objects.count() == CancelOffer.objects.count() == 1


def _quietly(user, token):
    with suppress(refusals.OfferGone):
        offers.take_up(user, token)


def test_after_a_lost_answer_it_is_taken_up_all_the_same(world, ada):
    token = offers.offer_for(ada.row).token
    with world.writes_failing(), pytest.raises(StripeUnavailable):
        offers.take_up(ada.user, token)
    assert CancelOffer.objects.get().made_at is None
    offers.take_up(ada.user, token)
    assert CancelOffer.objects.get().made_at is not None
    assert Discount.objects.count() == 1


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_an_offer_that_was_not_made_is_refused(world, ada, token):
    with pytest.raises(refusals.OfferGone):
        offers.take_up(ada.user, token)


def test_somebody_elses_offer_is_refused(world, ada):
    ben = world.subscribed(email="ben@example.com")
    token = offers.offer_for(ada.row).token
    with pytest.raises(refusals.OfferGone):
        offers.take_up(ben.user, token)
    assert not Discount.objects.exists()


def test_who_cancelled_already_is_offered_nothing(world, ada):
    token = offers.offer_for(ada.row).token
    cancel.cancel(ada.user, "period_end")
    assert offers.offer_for(ada.row) is None
    with pytest.raises(refusals.CancellationScheduled):
        offers.take_up(ada.user, token)
    assert not CancelOffer.objects.exists()


def test_nothing_is_offered_without_the_function_or_if_it_offers_nothing(world, ada, settings):
    settings.BILLING_CANCEL_OFFER = f"{__name__}.nothing"
    assert offers.offer_for(ada.row) is None
    settings.BILLING_CANCEL_OFFER = ""
    assert offers.offer_for(ada.row) is None
    settings.BILLING_CANCEL_OFFER = f"{__name__}.nonsense"
    with pytest.raises(offers.WrongOffer):
        offers.offer_for(ada.row)


def test_the_discount_ends_and_the_full_price_comes_back(world, ada):
    offers.take_up(ada.user, offers.offer_for(ada.row).token)
    for _ in range(4):
        world.advance(days=31)
        world.deliver()
    assert not Discount.objects.exists()
    assert ada.row.mrr_off == 0
    assert Payment.objects.order_by("paid_at").last().amount == 2000


def fails(subscription):
    raise ZeroDivisionError("by nothing")


@pytest.mark.parametrize(
    ("function", "level", "words"),
    [("a_third_less", "ok", "answers"), ("nothing", "ok", "answers"), ("nonsense", "warning", "returned"),
     ("fails", "warning", "raised ZeroDivisionError: by nothing")],
)  # fmt: skip
def test_the_doctor_asks_the_function_about_a_subscription(world, ada, settings, function, level, words):
    settings.BILLING_CANCEL_OFFER = f"{__name__}.{function}"
    [found] = functions.cancel_offer()
    assert (found.level, words in found.text) == (level, True)
    settings.BILLING_CANCEL_OFFER = ""
    assert list(functions.cancel_offer()) == []

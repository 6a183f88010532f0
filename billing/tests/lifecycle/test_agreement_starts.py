"""An agreement starts on its day, after its trial and with its discount, or is refused with a reason."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from billing import access, clock
from billing.lifecycle import agreements, deletion, refusals
from billing.lifecycle.agreements import AgreementRefused
from billing.models import (
    Agreement,
    Alert,
    Invoice,
    Plan,
    Price,
    Subscription,
)
from billing.stripe_client import StripeUnavailable
from billing.tests.lifecycle.test_agreements import TERMS, refused, subscriptions_at_stripe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    return world.sign_up()


def today(days=0):
    return timezone.localdate(clock.now()) + timedelta(days=days)


# A trial, and a discount


def coupon(world, **terms):
    return world.stripe("POST", "coupons", **{"duration": "once", **terms})["id"]


def test_a_trial_gives_access_and_the_first_invoice_comes_at_its_end(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, trial_days=10)
    row = Subscription.objects.get()
    assert (row.status, access.has_access(ada, plan="team")) == ("trialing", True)
    assert not Invoice.objects.owed().exists()
    world.advance(days=11)
    world.deliver()
    invoice = Invoice.objects.owed().get()
    assert (invoice.is_sent, invoice.total, Subscription.objects.get().status) == (True, 6000, "active")
    assert access.has_access(ada, plan="team")
    assert Agreement.objects.get().invoice_id == sent.invoice_id


@pytest.mark.parametrize("days", [-1, 731])
def test_a_trial_past_two_years_is_refused(world, ada, days):
    assert refused(ada, trial_days=days) == "trial_out_of_range"
    assert not Agreement.objects.exists()


def test_a_coupon_or_code_is_on_the_first_invoice(world, ada):
    agreements.start(ada, key="quote:1", **TERMS, discount=coupon(world, percent_off=25))
    assert Invoice.objects.get().total == 4500
    ben = world.sign_up("ben@example.com")
    promotion = {"type": "coupon", "coupon": coupon(world, amount_off=1000, currency="usd")}
    world.stripe("POST", "promotion_codes", code="WELCOME", promotion=promotion)
    agreements.start(ben, key="quote:2", **TERMS, discount="welcome", trial_days=5)
    world.advance(days=6)
    world.deliver()
    assert Invoice.objects.owed().get(customer__subscriber=ben).total == 5000


def test_a_discount_that_takes_nothing_off_is_refused_and_nothing_is_drafted(world, ada):
    in_euros = coupon(world, amount_off=1000, currency="eur")
    pro = Price.objects.get(lookup_key="pro_month").product
    for_pro = coupon(world, percent_off=10, applies_to={"products": [pro]})
    assert refused(ada, discount=in_euros) == "discount_other_currency"
    assert refused(ada, discount=for_pro) == "discount_other_plan"
    assert refused(ada, discount="NOPE") == "discount_unknown"
    assert refused(ada, discount="no such/thing") == "discount_unknown"
    assert not Agreement.objects.exists()


def test_a_coupon_that_is_gone_when_it_is_sent_starts_nothing_until_it_is_there(world, ada):
    gone = coupon(world, percent_off=25)
    draft = agreements.draft(ada, **TERMS, discount=gone)
    world.stripe("DELETE", f"coupons/{gone}")
    with pytest.raises(AgreementRefused, match="no valid coupon or promotion code") as error:
        agreements.send(draft)
    assert error.value.code == "discount_unknown"
    assert Agreement.objects.get().status == "refused"
    assert not Subscription.objects.exists()
    world.stripe("POST", "coupons", id=gone, percent_off=25, duration="once")
    assert agreements.send(draft).status == "started"


def test_while_stripe_is_away_a_draft_with_a_discount_is_not_made_and_one_without_is(world, ada):
    with world.down():
        with pytest.raises(StripeUnavailable):
            agreements.draft(ada, **TERMS, discount="WELCOME")
        assert agreements.draft(ada, **TERMS).status == "draft"


# Its day


def test_what_begins_later_starts_on_its_day_and_not_before(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, starts_on=today(10))
    assert (sent.status, agreements.each_minute()) == ("sent", "0 agreements started")
    world.advance(days=10, hours=1)
    assert agreements.each_minute() == "1 agreements started"
    assert access.has_access(ada, plan="team")
    assert agreements.each_minute() == "0 agreements started"


def test_it_takes_over_from_a_subscription_that_ends_before_its_day(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    agreements.start(ada.user, key="quote:1", **TERMS, starts_on=today(33))
    world.advance(days=33, hours=2)
    world.deliver()
    assert agreements.each_minute() == "1 agreements started"
    assert access.has_access(ada.user, plan="team")


def test_what_cannot_start_on_its_day_starts_nothing_and_staff_are_told(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, starts_on=today(3))
    world.subscribe(user=ada)
    world.deliver()
    world.advance(days=4)
    assert agreements.each_minute() == "0 agreements started"
    sent.refresh_from_db()
    assert (sent.status, sent.error_message[:38]) == ("refused", "The subscriber has a live subscription")
    assert Alert.objects.filter(cause=f"agreement_refused:{sent.pk}").count() == 1
    assert len(subscriptions_at_stripe(world, sent.customer_id)) == 1


# What cannot be


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"days_until_due": -1}, "days_out_of_range"),
        ({"days_until_due": 0}, "days_out_of_range"),
        ({"days_until_due": 366}, "days_out_of_range"),
        ({"amount": 0}, "amount_out_of_range"),
        ({"amount": -5}, "amount_out_of_range"),
        ({"amount": 100_000_000}, "amount_out_of_range"),
        ({"amount": 50_000_000, "quantity": 3}, "amount_out_of_range"),
        ({"amount": 5000, "currency": "xyz"}, "currency_not_offered"),
        ({"currency": "chf"}, "currency_not_offered"),
        ({"quantity": 0}, "quantity_out_of_range"),
        ({"quantity": -2}, "quantity_out_of_range"),
        ({"plan": "nope"}, "price_not_offered"),
        ({"plan": "free"}, "price_not_offered"),
        ({"interval": "week"}, "price_not_offered"),
        ({"interval": "fortnight"}, "interval_not_offered"),
        ({"interval": "year", "interval_count": 4, "amount": 1}, "interval_not_offered"),
        ({"po_number": "7" * 141}, "text_too_long"),
        ({"memo": "7" * 501}, "text_too_long"),
    ],
)
def test_terms_that_cannot_be_are_refused_with_a_code_and_nothing_is_written(world, ada, asked, code):
    assert refused(ada, **asked) == code
    assert not Agreement.objects.exists()


def test_a_start_in_the_past_or_too_far_ahead_is_refused(world, ada):
    assert refused(ada, starts_on=today(-1)) == "start_in_past"
    assert refused(ada, starts_on=today(400)) == "start_too_far"
    assert agreements.draft(ada, **TERMS, starts_on=today()).starts_on is None


def test_a_draft_whose_day_has_passed_is_not_sent(world, ada):
    draft = agreements.draft(ada, **TERMS, starts_on=today(2))
    world.advance(days=3)
    with pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("start_in_past", "draft")


def test_a_plan_without_a_price_at_stripe_is_refused_even_for_an_agreed_amount(world, ada):
    Plan.objects.create(slug="enterprise", name="Enterprise", rank=9, is_public=False)
    assert refused(ada, plan="enterprise", amount=5000) == "price_not_offered"


def test_a_subscriber_without_an_address_is_sent_nothing(world, ada):
    draft = agreements.draft(ada, **TERMS)
    nobody = mock.patch("billing.subscriptions.customer_details.email_of", return_value="")
    with nobody, pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("no_email", "draft")


def test_what_stripe_refuses_is_kept_with_its_reason_and_can_be_sent_again(world, ada):
    draft = agreements.draft(ada, **TERMS)
    price = draft.price_id
    world.stripe("POST", f"prices/{price}", active=False)
    with pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("stripe_refused", "refused")
    world.stripe("POST", f"prices/{price}", active=True)
    assert agreements.send(Agreement.objects.get()).status == "started"


def test_a_discarded_agreement_starts_nothing_and_a_started_one_is_not_discarded(world, ada):
    gone = agreements.discard(agreements.draft(ada, **TERMS))
    with pytest.raises(AgreementRefused) as error:
        agreements.send(gone)
    assert error.value.code == "not_a_draft"
    started = agreements.start(ada, key="quote:1", **TERMS)
    with pytest.raises(AgreementRefused):
        agreements.discard(started)


def test_an_account_that_is_deleted_starts_nothing_and_its_texts_go(world):
    ada = world.subscribed()
    agreements.start(ada.user, key="quote:1", **TERMS, po_number="4711", memo="For Ada", starts_on=today(5))
    deletion.begin(ada.user)
    with pytest.raises(refusals.AccountClosing):
        agreements.draft(ada.user, **TERMS)
    world.deliver()
    kept = Agreement.objects.filter().first()
    assert kept is None or (kept.status, kept.po_number, kept.memo) == ("discarded", "", "")

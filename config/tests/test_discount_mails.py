"""A discount on a live subscription is mailed when it is given and when it ends, once, and not as a part of a start."""

import pytest
from django.core import mail
from django.utils import timezone

from billing import testing
from billing.lifecycle import checkout
from billing.models import Discount, Subscription, SyncRun
from billing.sync import full
from notifications import outbox
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


def coupon(world, **terms):
    return world.stripe("POST", "coupons", **{"duration": "forever", **terms})["id"]


def give(world, ada, *coupons):
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": each} for each in coupons])
    world.deliver(scramble=True)


def end_all(world, ada):
    world.stripe("DELETE", f"subscriptions/{ada.subscription}/discount")
    world.deliver(scramble=True)


def sent(kind):
    for waiting in Mail.objects.filter(status=Mail.Status.QUEUED):
        outbox.deliver(str(waiting.pk))
    return list(Mail.objects.filter(kind=kind).order_by("created_at").values_list("status", flat=True))


def compare():
    now = timezone.now()
    run = SyncRun.objects.create(mode="full", started_at=now, clock_at=now)
    full.compare_all(run, lambda: None, is_dry=False)
    testing.work()
    return run


def letter(words):
    return next(each for each in reversed(mail.outbox) if words in each.subject)


def test_given_and_ended_are_mailed_once_to_that_subscriber_alone(world):
    ada = world.subscribed()
    world.subscribed(email="ben@example.com")
    give(world, ada, coupon(world, percent_off=25, name="Friends", duration="repeating", duration_in_months=3))
    world.deliver()
    assert sent("discount_given") == ["sent"]
    told = letter("You have a discount on Pro")
    assert told.to == ["ada@example.com"]
    words = " ".join(told.body.split())
    assert "Your subscription to Pro has the discount Friends now. With it you pay $15.00 a month." in words
    assert "Discount: −$5.00" in words
    assert "$20.00 a month" in words
    end_all(world, ada)
    assert (sent("discount_given"), sent("discount_ended")) == (["sent"], ["sent"])
    assert "you pay" in letter("Your discount on Pro has ended").body
    assert [name for name in world.said(ada) if "discount" in name] == ["discount_given", "discount_ended"]


def test_one_that_runs_out_is_mailed_too(world):
    ada = world.subscribed()
    give(world, ada, coupon(world, percent_off=25, duration="repeating", duration_in_months=1))
    assert sent("discount_given") == ["sent"]
    world.advance(days=33)
    world.deliver()
    assert sent("discount_ended") == ["sent"]


def test_one_for_a_single_payment_ends_with_its_receipt(world):
    ada = world.subscribed()
    give(world, ada, coupon(world, percent_off=25, duration="once"))
    assert sent("discount_given") == ["sent"]
    assert "It comes off your next payment." in letter("You have a discount").body
    world.advance(days=32)
    world.deliver()
    assert sent("discount_ended") == ["skipped"]


def test_what_came_with_the_start_is_told_by_the_welcome(world):
    off = coupon(world, percent_off=25)
    world.stripe("POST", "promotion_codes", code="WELCOME", promotion={"type": "coupon", "coupon": off})
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month", promotion_code="WELCOME")
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    world.deliver(scramble=True)
    assert Discount.objects.count() == 1
    assert (sent("discount_given"), sent("welcome")) == ([], ["sent"])


def test_another_by_the_same_coupon_is_no_news(world):
    ada = world.subscribed()
    known = coupon(world, percent_off=25)
    give(world, ada, known)
    give(world, ada, known)
    assert (sent("discount_given"), sent("discount_ended")) == (["sent"], [])


def test_one_in_place_of_another_is_two_mails(world):
    ada = world.subscribed()
    give(world, ada, coupon(world, percent_off=25))
    assert sent("discount_given") == ["sent"]
    give(world, ada, coupon(world, percent_off=50))
    assert (sent("discount_given"), sent("discount_ended")) == (["sent", "sent"], ["sent"])


def test_one_that_is_gone_before_its_mail_went_out_is_told_neither_way(world):
    ada = world.subscribed()
    give(world, ada, coupon(world, percent_off=25))
    end_all(world, ada)
    assert (sent("discount_given"), sent("discount_ended")) == (["skipped"], ["skipped"])


def test_one_that_was_missed_is_found_by_the_sync_and_mailed(world):
    ada = world.subscribed()
    entry = {"coupon": coupon(world, percent_off=25)}
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[entry])
    run = compare()
    assert [(drift["field"], drift["ours"]) for drift in run.drifts] == [("discounts", [])]
    assert sent("discount_given") == ["sent"]
    assert compare().drifts == []


def test_what_the_sync_takes_over_is_no_news(world):
    ada = world.subscribed()
    give(world, ada, coupon(world, percent_off=25))
    Mail.objects.all().delete()
    Discount.objects.all().delete()
    Subscription.objects.update(has_known_discounts=False)
    compare()
    assert Discount.objects.count() == 1
    assert not Mail.objects.filter(kind="discount_given").exists()


def test_the_mail_is_skipped_if_the_discount_is_gone_before_it_goes_out(world):
    ada = world.subscribed()
    give(world, ada, coupon(world, percent_off=25))
    Mail.objects.filter(kind="discount_given").update(status="queued", sent_at=None)
    Discount.objects.all().delete()
    assert sent("discount_given") == ["skipped"]

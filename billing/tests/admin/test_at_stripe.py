"""Staff give and end discounts, make a link with one, pause payments and resume them: previewed, allowed, logged."""

import re
from datetime import timedelta

import pytest

from billing import testing
from billing.models import Discount

from .test_staff_actions import address, do, logged, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "discount_customer", "pause_customer")


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def half(world):
    return world.stripe("POST", "coupons", id="HALF", percent_off=50, duration="forever")


def text(answer):
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split())


def confirm(staff, ada, name, **given):
    """Preview and confirm, as the form has it. Returns both answers."""
    preview = do(staff, ada, name, **given)
    form = preview.context["form"]
    fields = {field.name: field.value() for field in form}
    sent = {**{key: value for key, value in fields.items() if value is not None}, **given}
    answer = staff.post(address(ada, name), {**sent, "confirmed": preview.context["confirmed"]}, follow=True)
    return preview, answer


def test_a_discount_is_previewed_given_logged_and_ended(world, staff, ada, half):
    preview, answer = confirm(staff, ada, "discount", coupon="HALF")
    assert "comes to $10.00 instead of $20.00" in text(preview)
    assert "Nothing has been changed yet." in text(preview)
    assert "Gave the discount HALF." in text(answer)
    assert Discount.objects.get().saves == 1000
    preview, answer = confirm(staff, ada, "end-discount")
    assert "comes to $20.00 instead of $10.00" in text(preview)
    assert not Discount.objects.exists()
    assert logged() == ["Gave the discount HALF: they wrote to us", "Ended the discount HALF: they wrote to us"]


def test_nothing_is_given_before_it_is_confirmed_nor_something_else_than_was_previewed(world, staff, ada, half):
    world.stripe("POST", "coupons", id="ALL", percent_off=100, duration="forever")
    preview = do(staff, ada, "discount", coupon="HALF")
    assert not Discount.objects.exists()
    sent = {"subscription": ada.subscription, "coupon": "ALL", "reason": "r", "confirmed": preview.context["confirmed"]}
    answer = staff.post(address(ada, "discount"), sent)
    assert "comes to $0.00" in text(answer)
    assert not Discount.objects.exists()


@pytest.mark.parametrize("name", ["NOPE", "half off", "../x"])
def test_a_discount_that_does_not_exist_is_refused_with_a_sentence(world, staff, ada, name):
    answer = do(staff, ada, "discount", coupon=name)
    assert answer.status_code == 409
    assert "no valid coupon or promotion code" in text(answer)
    assert logged() == []


def test_given_twice_it_is_there_once(world, staff, ada, half):
    confirm(staff, ada, "discount", coupon="HALF")
    confirm(staff, ada, "discount", coupon="HALF")
    assert len(world.stripe("GET", f"subscriptions/{ada.subscription}")["discounts"]) == 1


def test_a_link_presets_a_discount_for_one_customer_and_one_use(world, staff, ada, half, client):
    day = (testing.now() + timedelta(days=10)).date().isoformat()
    answer = do(staff, ada, "discount-link", coupon="HALF", until=day)
    link = re.search(r"Made the link \S+(/\?code=\w+)", text(answer))[1]
    assert "We don't recognise this code" in text(client.get(link)).replace("&#x27;", "'")
    client.force_login(ada.user)
    assert "gives you 50% off" not in text(client.get(link)), "a plan that runs is changed, and not bought anew"
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert "gives you 50% off" in text(client.get(link))
    assert "code=" in logged()[0]


def test_payments_are_paused_and_resumed(world, staff, ada):
    day = (ada.row.current_period_end + timedelta(days=3)).date().isoformat()
    preview, answer = confirm(staff, ada, "pause", until=day, access="void")
    assert "Payments are charged again on" in text(preview)
    assert "Paused payments until" in text(answer)
    assert ada.row.paid_until == ada.row.current_period_end
    answer = do(staff, ada, "resume-payments")
    assert "Resumed payments." in text(answer)
    assert ada.row.collection_paused == ""
    assert [line.split(":")[0][:6] for line in logged()] == ["Paused", "Resume"]


def test_a_pause_that_leaves_nothing_out_or_lasts_too_long_is_refused(world, staff, ada):
    soon = (testing.now() + timedelta(days=2)).date().isoformat()
    assert "Nothing is charged before" in text(do(staff, ada, "pause", until=soon, access="void"))
    late = (testing.now() + timedelta(days=900)).date().isoformat()
    assert "in the next two years" in text(do(staff, ada, "pause", until=late, access="void"))
    assert ada.row.collection_paused == ""


def test_without_the_permission_there_is_no_door(world, ada, half):
    bob = member("bob@example.com", "hold_customer")
    for name in ("discount", "end-discount", "discount-link", "pause", "resume-payments"):
        assert bob.post(address(ada, name), {"reason": "r"}).status_code == 403


def test_during_an_outage_nothing_is_given_and_the_log_says_that_it_was_asked(world, staff, ada, half):
    preview = do(staff, ada, "discount", coupon="HALF")
    sent = {
        "subscription": ada.subscription,
        "coupon": "HALF",
        "reason": "r",
        "confirmed": preview.context["confirmed"],
    }
    with world.writes_failing():
        answer = staff.post(address(ada, "discount"), sent)
    assert answer.status_code == 503
    assert logged() == ["Give a discount, asked of Stripe: r"]
    assert not Discount.objects.exists()

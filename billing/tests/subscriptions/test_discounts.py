"""The discounts of a subscription are rows: whose they are, what they take off, and what the MRR is after them."""

import pytest
from django.core.management import call_command

from billing.models import Discount, MrrMovement, NextCharge
from billing.subscriptions import discounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def coupon(world, **terms):
    return world.stripe("POST", "coupons", **{"duration": "forever", **terms})["id"]


def give(world, ada, *coupons, **more):
    entries = [{"coupon": each} for each in coupons]
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=entries, **more)
    world.deliver()


def saved(ada):
    return [row.saves for row in discounts.discounts_of(ada.row)]


def test_a_discount_is_a_row_until_stripe_ends_it(world, ada):
    give(world, ada, coupon(world, percent_off=25, name="Friends"))
    row = Discount.objects.get()
    assert (row.name, row.saves, row.duration, row.ends_at, row.code) == ("Friends", 500, "forever", None, "")
    assert (ada.row.mrr, ada.row.mrr_off) == (2000, 500)
    world.stripe("DELETE", f"subscriptions/{ada.subscription}/discount")
    world.deliver()
    assert (saved(ada), ada.row.mrr_off) == ([], 0)


@pytest.mark.parametrize("name", ["SUMMER-25", "25 % off", "a/b"])
def test_a_coupon_may_be_named_as_its_maker_likes(world, ada, name):
    give(world, ada, coupon(world, id=name, percent_off=25))
    assert (Discount.objects.get().coupon, saved(ada)) == (name, [500])


def test_the_mrr_itself_and_its_ledger_leave_discounts_out(world, ada):
    give(world, ada, coupon(world, percent_off=25))
    assert MrrMovement.objects.count() == 1


def test_one_that_counts_once_takes_nothing_off_the_mrr(world, ada):
    give(world, ada, coupon(world, percent_off=25, duration="once"))
    assert (saved(ada), ada.row.mrr_off) == ([500], 0)


def test_several_are_taken_off_one_after_the_other(world, ada):
    give(world, ada, coupon(world, percent_off=50), coupon(world, amount_off=300, currency="usd"))
    assert saved(ada) == [1000, 300]
    assert ada.row.mrr_off == 1300


def test_what_is_taken_off_is_never_more_than_there_is(world, ada):
    give(world, ada, coupon(world, amount_off=9900, currency="usd"))
    assert (saved(ada), ada.row.mrr_off) == ([2000], 2000)


def test_one_for_other_products_takes_nothing_off(world, ada):
    team = world.stripe("GET", "prices", lookup_keys=["team_month"])["data"][0]["product"]
    give(world, ada, coupon(world, percent_off=50, applies_to={"products": [team]}))
    assert saved(ada) == [0]


def test_one_of_an_item_counts(world, ada):
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    entry = {"id": item, "discounts": [{"coupon": coupon(world, percent_off=10)}]}
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=[entry])
    world.deliver()
    row = Discount.objects.get()
    assert (row.item, row.saves) == (item, 200)


def test_a_deleted_coupon_stays_with_who_has_it(world, ada):
    known = coupon(world, percent_off=25)
    give(world, ada, known)
    world.stripe("DELETE", f"coupons/{known}")
    world.advance(days=32)
    world.deliver()
    assert saved(ada) == [500]


def test_a_coupon_that_was_deleted_before_we_asked_is_a_discount_of_unknown_size(world, ada):
    known = coupon(world, percent_off=25)
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": known}])
    world.stripe("DELETE", f"coupons/{known}")
    world.deliver()
    assert (saved(ada), ada.row.mrr_off) == ([None], 0)


def test_the_next_charge_is_asked_again_when_a_discount_changes_and_not_when_others_use_its_coupon(world, ada):
    known = coupon(world, percent_off=25)
    give(world, ada, known)
    version = NextCharge.objects.get().version
    ben = world.subscribed(email="ben@example.com")
    give(world, ben, known)
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"seen": "1"})
    world.deliver()
    assert NextCharge.objects.get(subscription=ada.row).version == version


def test_a_scheduled_change_of_plan_keeps_the_discount(world):
    from billing.lifecycle import change

    ada = world.subscribed(plan="team")
    world.advance(days=15)  # past the trial
    world.deliver()
    give(world, ada, coupon(world, percent_off=50))
    change.change(ada.user, "pro", "month")
    world.advance(days=31)
    world.deliver()
    assert (ada.row.plan.slug, saved(ada)) == ("pro", [1000])


def test_a_discount_that_no_event_told_of_is_found_by_the_full_sync(world, ada):
    known = coupon(world, percent_off=50)
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": known}])
    call_command("sync_stripe", "--full")
    assert saved(ada) == [1000]
    world.stripe("DELETE", f"subscriptions/{ada.subscription}/discount")
    call_command("sync_stripe", "--full")
    assert saved(ada) == []

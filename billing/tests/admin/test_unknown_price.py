"""Staff say what a price that no plan knows buys, or keep it so; until then alert, doctor, sync and admin name it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command

from billing.models import Alert, Plan, Price, Subscription, SyncRun
from billing.setup.doctor import here
from billing.subscriptions import doubts

from .test_staff_actions import address, do, member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "map_price", "view_subscription")


@pytest.fixture
def ada(world):
    """Somebody who is switched in place, in the Dashboard, to a price of Pro's product that no plan knows."""
    ada = world.subscribed()
    product = Price.objects.get(lookup_key="pro_month").product
    ada.price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=9900, recurring={"interval": "month"}
    )["id"]
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=[{"id": item, "price": ada.price}])
    world.deliver()
    assert ada.row.unmapped_price == ada.price
    return ada


def named_by(ada):
    """Staff read of the price here."""
    call_command("sync_stripe", verbosity=0)
    return {
        "doctor": any(ada.price in finding.text for finding in here.subscriptions()),
        "sync": any(ada.price in note for note in SyncRun.objects.latest("started_at").notes),
    }


def test_alert_doctor_sync_and_admin_name_it_and_say_what_to_do(staff, ada):
    alert = Alert.objects.get(cause=f"unknown_price:{ada.price}")
    assert "Say what a price buys" in alert.text
    assert named_by(ada) == {"doctor": True, "sync": True}
    shown = page(staff, ada)
    assert address(ada, "map-price") in shown
    assert address(ada, "keep-price") in shown
    assert "Price of no plan" in shown, "beside the buttons stands which"


def test_given_to_a_plan_it_gives_that_plan_at_once_and_nobody_names_it_any_more(staff, ada):
    team = Plan.objects.get(slug="team")
    do(staff, ada, "map-price", "agreed with sales", plan=team.pk)
    assert (ada.access.plan.slug, ada.row.whose, ada.row.price_id) == ("team", "ours", ada.price)
    assert Price.objects.get(pk=ada.price).unit_amount == 9900
    assert LogEntry.objects.get().change_message == f"Said that the price {ada.price} buys Team: agreed with sales"
    assert named_by(ada) == {"doctor": False, "sync": False}
    assert address(ada, "map-price") not in page(staff, ada)


def test_kept_it_stays_as_it_is_and_is_named_no_more_until_the_price_is_another(world, staff, ada):
    do(staff, ada, "keep-price", "an old agreement")
    assert (ada.access.plan.slug, ada.row.whose, ada.row.kept_price) == ("pro", "unknown", ada.price)
    assert LogEntry.objects.get().change_message.startswith(f"Kept the price {ada.price}")
    assert named_by(ada) == {"doctor": False, "sync": False}
    Subscription.objects.update(unmapped_price="price_another")
    assert len(doubts.lasting()) == 1


@pytest.mark.parametrize("name", ["map-price", "keep-price"])
def test_without_the_permission_or_once_it_is_decided_nothing_is_done(world, staff, ada, name):
    other = member("other@example.com", "refund_payment")
    assert address(ada, name) not in page(other, ada)
    assert other.post(address(ada, name), {"reason": "because"}).status_code == 403
    do(staff, ada, "keep-price")
    do(staff, ada, name, plan=Plan.objects.get(slug="team").pk, price=ada.price)
    assert (LogEntry.objects.count(), ada.access.plan.slug) == (1, "pro")


def test_a_price_that_a_colleague_has_given_to_another_plan_meanwhile_stays_there(world, staff, ada):
    """As on the page of another customer, who pays the same price and is not refreshed yet."""
    team = Plan.objects.get(slug="team")
    row = Price.objects.filter(plan=team).first()
    row.pk, row.lookup_key = ada.price, ""
    row.save(force_insert=True)
    do(staff, ada, "map-price", plan=Plan.objects.get(slug="pro").pk)
    assert (Price.objects.get(pk=ada.price).plan, LogEntry.objects.count()) == (team, 0)
    do(staff, ada, "map-price", plan=team.pk)
    assert (ada.access.plan, LogEntry.objects.count()) == (team, 1)


def test_where_the_settings_define_the_plans_it_says_where_to_add_one(staff, ada, settings):
    settings.BILLING_PLANS = [{"slug": "pro", "name": "Pro", "prices": {"month": {"usd": 2000}}}]
    shown = staff.get(address(ada, "map-price")).content.decode()
    assert "The plans are defined by BILLING_PLANS: for a plan that is not listed, add it there first." in shown

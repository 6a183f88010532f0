"""A project's own rule over access: it takes access away, wherever access is asked for, with its reason."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from billing import access, clock
from billing.events import sweep
from billing.models import Subscription

pytestmark = pytest.mark.django_db


def has_left_the_building(user):
    return "" if user.is_active else "left_the_building"


def refuses_everybody(user):
    return "maintenance"


@pytest.fixture
def ada(world, settings):
    settings.BILLING_ACCESS_RULE = "billing.tests.access.test_rules.has_left_the_building"
    return world.subscribed()


def leave(ada):
    ada.user.is_active = False
    ada.user.save(update_fields=["is_active"])


def test_it_takes_access_away_and_gives_it_back_at_once(ada):
    assert (ada.access.has_access, ada.access.reason) == (True, "active")
    leave(ada)
    assert (ada.access.has_access, ada.access.reason) == (False, "host_left_the_building")
    assert not access.has_access(ada.user, plan="pro")
    assert not access.has_access(ada.user, feature="generations")


def test_access_is_one_query_with_it_too(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert access.has_access(ada.user, plan="pro", feature="generations")


def test_what_stripe_or_staff_say_comes_first(world, ada, settings):
    settings.BILLING_ACCESS_RULE = "billing.tests.access.test_rules.refuses_everybody"
    assert ada.access.reason == "host_maintenance"
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    assert ada.access.reason == "hold_dispute"


def test_the_page_the_api_the_admin_and_the_command_say_its_reason(ada, settings, client, admin_client):
    settings.BILLING_ACCESS_RULE = "billing.tests.access.test_rules.refuses_everybody"
    client.force_login(ada.user)
    assert "You have no access: maintenance" in client.get(reverse("billing:account")).content.decode()
    state = client.get("/api/v1/subscriptions/current").json()
    assert (state["has_access"], state["reason"], state["plan"]) == (False, "host_maintenance", "free")
    page = admin_client.get(reverse("admin:billing_customer_change", args=[ada.customer])).content.decode()
    rows = admin_client.get(reverse("admin:billing_subscription_changelist")).content.decode()
    out = StringIO()
    call_command("explain_access", ada.user.email, stdout=out)
    said = "own rule says: maintenance"
    assert said in page
    assert "host maintenance" in rows
    assert said in out.getvalue()


def test_it_is_not_asked_about_the_past(ada):
    leave(ada)
    assert not access.explain(ada.user).has_access
    assert access.explain(ada.user, clock.now()).reason == "active"


def test_the_end_of_a_grace_is_announced_by_one_sweep_and_holds_up_no_later_one(world, ada):
    ben = world.subscribed(email="ben@example.com")
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    world.heard.clear()
    assert "0 graces" in sweep.sweep(), "the grace is not over yet"
    world.advance(days=4)
    assert "1 graces" in sweep.sweep()
    assert "0 graces" in sweep.sweep()
    assert (world.said(ada), world.said(ben)) == (["access_revoked"], [])


def test_losing_access_by_it_is_announced_with_the_next_event(world, ada):
    leave(ada)
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"touched": timezone.now().isoformat()})
    world.deliver()
    assert world.said(ada) == ["access_revoked"]


def cannot_tell_of_ben(user):
    if user.email == "ben@example.com":
        raise LookupError("ben is not in our books")
    return ""


def test_a_rule_that_fails_for_one_keeps_nobody_elses_grace_from_ending(world, ada, settings):
    world.advance(days=2)
    ben = world.subscribed(email="ben@example.com")
    for each in (ben, ada):
        world.change_card(each, "pm_card_chargeCustomerFail")
    world.advance(days=31)
    world.deliver()
    settings.BILLING_ACCESS_RULE = "billing.tests.access.test_rules.cannot_tell_of_ben"
    world.heard.clear()
    world.advance(days=1, hours=12)
    sweep.sweep()
    assert (ada.access.reason, world.said(ada)) == ("grace_over", ["access_revoked"])


def test_who_has_no_access_by_the_rule_already_has_no_grace_to_end(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31)
    leave(ada)
    world.deliver()
    world.advance(days=3)
    world.heard.clear()
    sweep.sweep()
    assert world.said(ada) == []


def test_paid_for_a_price_that_is_no_plans_there_is_no_access_and_the_reason_says_so(world, settings):
    settings.BILLING_ACCESS_RULE = ""
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    Subscription.objects.filter(customer=ada.customer).update(plan=None)
    assert (ada.access.has_access, ada.access.reason, ada.access.plan) == (False, "unmapped_price", None)
    assert not access.has_access(ada.user)
    assert not access.has_access(ada.user, plan="pro")
    assert not access.has_access(ada.user, feature="generations")
    assert (ben.access.reason, access.has_access(ben.user, plan="pro", feature="generations")) == ("active", True)

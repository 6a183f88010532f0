"""Staff act for a subscriber with a reason, a permission and a log entry, in the lane, and all of it happens or
nothing."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import access, lanes, testing, usage
from billing.admin import payment_actions, performing
from billing.admin.refused import Refused
from billing.events import applying, worker
from billing.lifecycle import deletion
from billing.models import Customer, Grant, Hold, Lane, Payment, Plan, StripeEvent, Subscription
from billing.subscriptions import holds
from billing.testing import now as sandbox_now
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)

PERMISSIONS = {
    "hold": "hold_customer",
    "release": "release_customer",
    "grant": "grant_customer",
    "extend-grant": "grant_customer",
    "end-grant": "grant_customer",
    "refresh": "refresh_customer",
    "end-unknown": "end_customer",
}


def member(email="bob@example.com", *codenames):
    """A member of staff with these permissions, and to view customers."""
    bob = get_user_model().objects.create_user(email=email, password=None, is_staff=True)
    allowed = Permission.objects.filter(codename__in=["view_customer", *codenames])
    bob.user_permissions.set(allowed.filter(content_type__app_label="billing"))
    client = Client()
    client.force_login(bob)
    client.pk = bob.pk
    return client


@pytest.fixture
def staff(world):
    return member("root@example.com", *PERMISSIONS.values())


@pytest.fixture
def ada(world):
    return world.subscribed()


def address(subscriber, name):
    return reverse("admin:billing_customer_action", args=[quote(subscriber.customer), name])


def page(client, subscriber):
    return client.get(reverse("admin:billing_customer_change", args=[quote(subscriber.customer)])).content.decode()


def do(client, subscriber, name, reason="they wrote to us", **given):
    """As the form has it: what is not given is as it was shown."""
    answer = client.get(address(subscriber, name), follow=True)
    if answer.redirect_chain:
        return answer
    shown = answer.context["form"] if answer.status_code == 200 else {}
    known = {field.name: getattr(field.initial, "pk", field.initial) for field in shown}
    known = {name: value for name, value in known.items() if value is not None}
    return client.post(address(subscriber, name), {**known, "reason": reason, **given}, follow=True)


def give(client, subscriber, **given):
    until = (sandbox_now() + timedelta(days=10)).date().isoformat()
    return do(client, subscriber, "grant", **{"plan": Plan.objects.get(slug="team").pk, "until": until, **given})


def logged():
    return list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))


# What each does


def test_a_hold_ends_access_and_its_release_gives_it_back(world, staff, ada):
    answer = do(staff, ada, "hold", "case 7: two people, one account")
    assert "Placed a hold." in answer.content.decode()
    assert (ada.access.has_access, ada.access.reason) == (False, "hold_staff")
    hold = Hold.objects.get()
    assert (hold.reason, hold.cause) == ("case 7: two people, one account", f"staff:{staff.pk}")
    do(staff, ada, "release", "settled")
    assert ada.access.has_access
    assert Hold.objects.get().released_by == f"staff:{staff.pk}"
    assert world.said(ada) == ["access_revoked", "access_granted"]
    assert logged() == ["Placed a hold: case 7: two people, one account", "Released the staff hold: settled"]
    assert set(LogEntry.objects.values_list("user_id", "object_id")) == {(staff.pk, ada.customer)}


def test_a_disputes_hold_that_staff_released_is_not_placed_again_by_its_next_event(world, staff, ada):
    made = world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    assert "A payment is disputed" in staff.get(address(ada, "release")).content.decode()
    do(staff, ada, "release")
    assert ada.access.has_access
    world.control(f"disputes/{made['id']}", status="under_review")
    world.deliver()
    assert ada.access.has_access


def test_access_is_given_until_the_end_of_a_day_and_ended_before(world, staff, ada):
    day = (sandbox_now() + timedelta(days=10)).date()
    give(staff, ada, reason="we were down")
    grant = Grant.objects.get()
    assert grant.until.isoformat() == f"{day + timedelta(days=1)}T00:00:00+00:00"
    assert (ada.access.reason, ada.access.plan.slug) == ("grant", "team")
    do(staff, ada, "end-grant")
    assert ada.access.reason == "active"
    assert logged()[0].startswith("Gave Team until")
    assert logged()[1] == "Ended Team: they wrote to us"


def test_what_was_given_is_extended_to_another_day_or_for_good(world, staff, ada):
    give(staff, ada)
    later = (sandbox_now() + timedelta(days=40)).date()
    do(staff, ada, "extend-grant", until=later.isoformat())
    assert Grant.objects.get().until.date() == later + timedelta(days=1)
    do(staff, ada, "extend-grant", until="")
    assert Grant.objects.get().until is None
    assert logged()[1].startswith("Extended Team until")
    assert logged()[2] == "Extended Team for good: they wrote to us"
    assert world.said(ada) == ["grant_given"]


def test_a_feature_is_given_with_a_quantity_and_for_good(world, staff, ada):
    give(staff, ada, plan="", feature="generations", quantity=500, until="")
    grant = Grant.objects.get()
    assert (grant.plan, grant.feature, grant.quantity, grant.until) == (None, "generations", 500, None)
    assert "500 generations a month" in page(staff, ada)
    assert usage.summary(ada.user)["generations"].limit == 1_500


def test_given_to_somebody_on_hold_it_says_that_it_waits(world, staff, ada):
    do(staff, ada, "hold")
    assert "so there is no access" in staff.get(address(ada, "grant")).content.decode()
    give(staff, ada)
    assert ada.access.reason == "hold_staff"
    do(staff, ada, "release")
    assert ada.access.reason == "grant"


def test_a_refresh_brings_what_no_webhook_has_told(world, staff, ada):
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    assert ada.access.has_access
    answer = do(staff, ada, "refresh")
    assert "active to canceled" in answer.content.decode()
    assert ada.access.reason == "canceled"
    assert ada.row.customer.subscription_changes.latest("pk").cause == f"staff:{staff.pk}"


def test_access_is_not_given_to_who_is_leaving_and_nothing_is_done_about_who_has_left(world, staff, ada):
    do(staff, ada, "hold", "Ada Lovelace called")
    deletion.begin(ada.user)
    assert "Somebody else has changed this" in give(staff, ada).content.decode()
    testing.work()
    assert address(ada, "refresh") not in page(staff, ada)
    assert not Grant.objects.exists()
    assert logged() == ["Placed a hold"]
    assert Hold.objects.get().reason == ""


# Refused


@pytest.mark.parametrize("name", PERMISSIONS)
def test_without_its_permission_there_is_no_button_and_nothing_is_done(world, ada, name):
    others = member("others@example.com", *(set(PERMISSIONS.values()) - {PERMISSIONS[name]}))
    able = member("able@example.com", *PERMISSIONS.values())
    if name in ("release", "extend-grant", "end-grant"):
        do(able, ada, "hold")
        give(able, ada)
    if name == "end-unknown":
        Customer.objects.update(missing_since=timezone.now())
    before = (logged(), list(Hold.objects.values()), list(Grant.objects.values()), ada.row.fetched_at)
    assert address(ada, name) in page(able, ada)
    assert address(ada, name) not in page(others, ada)
    assert others.get(address(ada, name)).status_code == 403
    assert others.post(address(ada, name), {"reason": "because"}).status_code == 403
    assert (logged(), list(Hold.objects.values()), list(Grant.objects.values()), ada.row.fetched_at) == before


def test_without_the_permission_to_view_customers_nothing_is_done(world, ada):
    client = member("bob@example.com", "hold_customer")
    user = get_user_model().objects.get(pk=client.pk)
    user.user_permissions.remove(Permission.objects.get(codename="view_customer", content_type__app_label="billing"))
    assert client.post(address(ada, "hold"), {"reason": "because"}).status_code == 403
    assert not Hold.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\0b"])
def test_without_a_reason_nothing_is_done(world, staff, ada, reason):
    answer = do(staff, ada, "hold", reason)
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not Hold.objects.exists()
    assert logged() == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"until": "2020-01-01"}, "Choose a day in the future."),
        ({"until": "9999-12-31"}, "Choose a day in the next ten years."),
        ({"until": "soon"}, "Write the day as 2026-12-31."),
        ({"plan": ""}, "Choose either a plan or a feature."),
        ({"feature": "generations"}, "Choose either a plan or a feature."),
        ({"quantity": 5}, "Only a feature has a quantity."),
        ({"plan": "", "feature": "flights"}, "Select a valid choice."),
        ({"plan": 0}, "Select a valid choice."),
        ({"newest": "x"}, "Enter a whole number."),
    ],
)
def test_a_grant_that_cannot_be_is_refused_in_words(world, staff, ada, given, sentence):
    answer = give(staff, ada, **given)
    assert answer.status_code == 400
    assert sentence in answer.content.decode() or "newest" in given
    assert not Grant.objects.exists()


def test_an_action_or_a_customer_that_there_is_none_of_is_not_found(world, staff, ada):
    assert staff.post(address(ada, "explode"), {"reason": "because"}).status_code == 404
    nobody = reverse("admin:billing_customer_action", args=["cus_nobody", "hold"])
    assert staff.post(nobody, {"reason": "because"}).status_code == 404


def test_a_form_sent_twice_is_done_once(world, staff, ada):
    do(staff, ada, "hold")
    again = staff.post(address(ada, "hold"), {"reason": "they wrote to us"})
    assert again.status_code == 409
    assert "Somebody else has changed this" in again.content.decode()
    assert Hold.objects.count() == len(logged()) == 1


def test_of_two_who_give_access_the_second_sees_what_the_first_gave(world, staff, ada):
    until = (sandbox_now() + timedelta(days=10)).date().isoformat()
    seen_by_both = {"plan": Plan.objects.get(slug="team").pk, "until": until, "reason": "because"}
    assert staff.post(address(ada, "grant"), seen_by_both).status_code == 302
    assert (
        staff.post(address(ada, "grant"), {**seen_by_both, "plan": Plan.objects.get(slug="pro").pk}).status_code == 409
    )
    assert Grant.objects.get().plan.slug == "team"
    give(staff, ada, plan=Plan.objects.get(slug="pro").pk)
    assert [grant.plan.slug for grant in Grant.objects.open().order_by("pk")] == ["team", "pro"]


def test_a_hold_that_another_has_released_is_not_released_twice(world, staff, ada):
    do(staff, ada, "hold")
    hold = Hold.objects.get()
    holds.release(customer_row(ada), Hold.Kind.STAFF, hold.reference)
    answer = staff.post(address(ada, "release"), {"reason": "because", "hold": hold.pk})
    assert answer.status_code == 400
    assert "already been released" in answer.content.decode()
    assert logged() == ["Placed a hold: they wrote to us"]


# Not now


def test_while_stripe_is_down_a_refresh_says_so_and_changes_nothing(world, staff, ada):
    before = Subscription.objects.values().get()

    world.control("faults", api={"fail_next": 50, "status": 503})
    answer = do(staff, ada, "refresh")
    assert answer.status_code == 503
    assert "Stripe did not answer. Nothing was changed." in answer.content.decode()
    assert "they wrote to us" in answer.content.decode()  # need not be typed again
    assert (Subscription.objects.values().get(), logged()) == (before, [])
    do(staff, ada, "hold")  # which needs no Stripe
    world.control("faults")
    assert ada.access.reason == "hold_staff"


@pytest.mark.parametrize("name", ["hold", "grant", "refresh"])
def test_while_another_has_the_lane_it_says_so_and_changes_nothing(world, staff, ada, monkeypatch, name):
    monkeypatch.setattr(performing.lanes, "exclusive", partial(lanes.exclusive, wait_seconds=0))
    claim = lanes.take(ada.customer)
    answer = give(staff, ada) if name == "grant" else do(staff, ada, name)
    assert answer.status_code == 503
    assert "Try again in a moment." in answer.content.decode()
    assert (logged(), Hold.objects.count(), Grant.objects.count()) == ([], 0, 0)
    lanes.let_go(claim)


def test_who_loses_the_lane_on_the_way_has_changed_and_logged_nothing(world, staff, ada, monkeypatch):
    place = holds.place

    def and_the_lane_is_taken_over(customer, *args):
        place(customer, *args)
        Lane.objects.update(token="0" * 32)

    monkeypatch.setattr(holds, "place", and_the_lane_is_taken_over)
    assert do(staff, ada, "hold").status_code == 503
    assert (logged(), Hold.objects.count()) == ([], 0)
    assert ada.access.has_access


# At the same moment, on PostgreSQL


@pytest.mark.postgres_only
def test_a_hold_placed_while_events_are_applied_waits_for_them_and_holds(world, staff, at_once, monkeypatch):
    ada = world.subscribe()
    world.deliver(work=False)
    is_at_work, is_asked = threading.Event(), threading.Event()
    apply = applying.apply

    def slowly(lane, events, **kinds):
        apply(lane, events, **kinds)
        is_at_work.set()
        is_asked.wait(10)

    monkeypatch.setattr(applying, "apply", slowly)
    drain = at_once(partial(worker.drain, ada.customer))
    assert is_at_work.wait(10)
    placed = at_once(lambda: staff.post(address(ada, "hold"), {"reason": "because"}).status_code)
    is_asked.set()
    assert (drain.result(), placed.result()) == ("drained", 302)
    testing.work()
    assert access.of(ada.user).reason == "hold_staff"
    assert not StripeEvent.objects.exclude(status__in=["processed", "ignored"]).exists()
    assert world.said(ada).count("access_revoked") == 1


@pytest.mark.postgres_only
def test_two_members_of_staff_who_place_a_hold_at_once_place_one(world, staff, ada, at_once):
    other = member("other@example.com", "hold_customer")
    answers = [at_once(partial(who.post, address(ada, "hold"), {"reason": "because"})) for who in (staff, other)]
    assert sorted(answer.result().status_code for answer in answers) == [302, 409]
    assert Hold.objects.count() == len(logged()) == 1


@pytest.mark.parametrize("second", [payment_actions.REFUND, payment_actions.KEEP], ids=lambda action: action.name)
def test_a_payment_that_a_colleague_decided_on_a_moment_ago_is_not_decided_on_again(world, rf, second):
    """Their form was valid when it was sent, and another payment of the customer still waits."""
    user, now = world.sign_up(), timezone.now()
    customer = Customer.objects.create(pk="cus_two", subscriber=user)
    paid = {"customer": customer, "amount": 2000, "currency": "usd", "invoiced_at": now, "paid_at": now}
    for name in ("one", "two"):
        Payment.objects.create(invoice_id=f"in_{name}", bought_nothing=True, **paid)
    request = rf.post("/")
    request.user = user
    given = {"payment": Payment.objects.get(invoice_id="in_one"), "reason": "because"}
    Payment.objects.filter(invoice_id="in_one").update(kept_at=now)
    with pytest.raises(Refused):
        performing.perform(second, request, customer.pk, given)
    assert (Payment.objects.get(invoice_id="in_one").kept_at, logged()) == (now, [])

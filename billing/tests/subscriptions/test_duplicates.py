"""What our Checkout sold twice at once: the newer is cancelled and given back, the older never touched, once.

Anything else that bills beside another is left to people.
"""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from billing import testing
from billing.lanes import writes
from billing.lifecycle import cancel, checkout
from billing.models import CheckoutAttempt, Price, Refund, StripeWrite, Subscription
from billing.monitoring import alerts
from billing.stripe_client.http_client import HttpClient
from billing.subscriptions import choosing, duplicates
from billing.tests.mailing import GRACE
from billing.tests.parallel import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(settings):
    settings.ADMINS = GRACE


def yearly():
    return Price.objects.get(lookup_key="pro_year").pk


def team():
    return Price.objects.get(lookup_key="team_month").pk


def status(world, subscription):
    return world.stripe("GET", f"subscriptions/{subscription}")["status"]


def refunded(world, subscriber):
    return [refund["amount"] for refund in world.stripe("GET", "refunds")["data"]]


def told():
    alerts.send()
    return [message for message in mail.outbox if message.to == ["grace@example.com"]]


def test_one_sold_twice_at_once_is_cancelled_refunded_and_told(world, django_capture_on_commit_callbacks):
    ada = world.subscribed()
    second = world.buy_twice(ada, yearly())
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver()
    world.deliver()
    assert (status(world, ada.subscription), status(world, second)) == ("active", "canceled")
    assert (refunded(world, ada), ada.row.stripe_id, ada.access.plan.slug) == ([20000], ada.subscription, "pro")
    assert Refund.objects.get().amount == 20000
    assert len(told()) == 1
    assert second in told()[0].body


def test_every_event_delivered_again_cancels_and_refunds_no_more(world, django_capture_on_commit_callbacks):
    ada = world.subscribed()
    world.buy_twice(ada, yearly())
    events = world.events()
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver(events)
        world.deliver([{**event, "id": f"{event['id']}again"} for event in events])
    world.deliver()
    assert (refunded(world, ada), len(told())) == ([20000], 1)
    assert StripeWrite.objects.count() == StripeWrite.objects.filter(done_at__isnull=False).count()


def test_two_sessions_paid_leave_the_older_subscription(world):
    user = world.sign_up()
    first = checkout.start(user, "pro", "month")
    CheckoutAttempt.objects.update(status="expired", session_id="")
    second = checkout.start(user, "pro", "year")
    for attempt in (first, second):
        world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
        world.advance(hours=1)
    world.deliver()
    world.deliver()
    found = world.stripe("GET", "subscriptions", status="all")["data"]
    assert [(row["status"], row["items"]["data"][0]["price"]["lookup_key"]) for row in found] == [
        ("canceled", "pro_year"),
        ("active", "pro_month"),
    ]
    assert [refund["amount"] for refund in world.stripe("GET", "refunds")["data"]] == [20000]


def test_during_an_outage_it_stays_owed_and_is_made_after(world):
    ada = world.subscribed()
    second = world.buy_twice(ada, yearly())
    with world.writes_failing():
        world.deliver()
    assert (status(world, second), ada.row.stripe_id) == ("active", ada.subscription)
    StripeWrite.objects.update(next_attempt_at=None)
    world.stripe("POST", f"customers/{ada.customer}", description="seen")
    world.deliver()
    assert (status(world, second), refunded(world, ada)) == ("canceled", [20000])


def test_when_the_older_ends_before_stripe_was_told_the_newer_stays_and_keeps_its_payment(world):
    ada = world.subscribed()
    second = world.buy_twice(ada, yearly())
    with world.writes_failing():
        world.deliver()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    StripeWrite.objects.update(next_attempt_at=None)
    world.deliver()
    assert (status(world, second), refunded(world, ada)) == ("active", [])
    assert (ada.row.stripe_id, ada.access.plan.slug) == (second, "pro")
    world.stripe("DELETE", f"subscriptions/{second}")
    world.deliver()
    assert (ada.row.status, refunded(world, ada)) == ("canceled", [])


def test_only_the_end_and_the_refund_of_that_duplicate_are_withdrawn_and_what_was_done_stays_done():
    rows = {
        "its end": ("cancel_subscription", "sub_2", "duplicate"),
        "its refund": ("refund", "pi_2", "sub_2"),
        "an invoice of it to close": ("close_invoice", "in_2", "sub_2"),
        "its end for a lost dispute": ("cancel_subscription", "sub_2", "dp_1"),
        "the end of another": ("cancel_subscription", "sub_3", "duplicate"),
        "a refund of another": ("refund", "pi_3", "sub_3"),
    }
    for action, object_id, reference in rows.values():
        StripeWrite.objects.create(
            lane="cus_1", action=action, object_id=object_id, reference=reference, requested_at=timezone.now()
        )
    StripeWrite.objects.create(
        lane="cus_1", action="refund", object_id="pi_done", reference="sub_2", requested_at=timezone.now(),
        done_at=timezone.now(),
    )  # fmt: skip
    duplicates._withdraw_cancellation("sub_2")
    withdrawn = StripeWrite.objects.exclude(withdrawn_at=None).values_list("action", "object_id", "reference")
    assert set(withdrawn) == {rows["its end"], rows["its refund"]}


def test_each_try_asks_by_a_key_of_its_own_and_waits_longer(world, monkeypatch):
    ada = world.subscribed()
    world.buy_twice(ada, yearly())
    keys, send = [], HttpClient.send

    def down(client, method, url, request, post_data=None):
        if method.lower() == "get":
            return send(client, method, url, request)
        keys.append(request.headers["Idempotency-Key"])
        return b"{}", 503, {}

    monkeypatch.setattr(HttpClient, "send", down)
    world.deliver()
    StripeWrite.objects.update(next_attempt_at=None, attempts=32_000)
    writes.make(StripeWrite.objects.get(action="cancel_subscription"))
    assert len(set(keys)) == len(keys) == 3
    assert StripeWrite.objects.get(action="cancel_subscription").next_attempt_at > timezone.now() + timedelta(
        minutes=50
    )


def test_a_lost_answer_refunds_once(world):
    ada = world.subscribed()
    world.buy_twice(ada, yearly())
    events = world.events()
    world.control("faults", api={"lose_answer": 2})
    world.deliver(events)
    world.control("faults")
    world.deliver()
    assert refunded(world, ada) == [20000]


def test_one_that_has_renewed_is_left_to_people(world):
    ada = world.subscribed()
    second = world.buy_twice(ada, yearly())
    world.advance(days=40)
    world.deliver()
    assert (status(world, second), refunded(world, ada)) == ("active", [])


def test_one_for_something_that_is_no_plan_is_left_alone(world):
    ada = world.subscribed()
    product = world.stripe("POST", "products", name="Newspaper")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=100, recurring={"interval": "month"}
    )
    other = world.subscribe_again(ada, price["id"], metadata={"billing_attempt": "copied"})
    world.deliver()
    assert (status(world, other), StripeWrite.objects.count()) == ("active", 0)


def test_of_two_plans_sold_at_once_the_higher_stays(world):
    ada = world.subscribed()
    higher = world.buy_twice(ada, team())
    world.deliver()
    world.deliver()
    assert (status(world, ada.subscription), status(world, higher)) == ("canceled", "active")
    assert (refunded(world, ada), ada.row.stripe_id, ada.access.plan.slug) == ([2000], higher, "team")


def test_one_that_staff_sell_beside_another_counts_if_it_gives_more_and_both_are_told_to_staff(
    world, django_capture_on_commit_callbacks
):
    ada = world.subscribed()
    second = world.subscribe_again(ada, team())
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver()
        world.stripe("POST", f"customers/{ada.customer}", description="seen")
        world.deliver()
    assert (status(world, ada.subscription), status(world, second)) == ("active", "active")
    assert (ada.row.stripe_id, ada.access.plan.slug, StripeWrite.objects.count()) == (second, "team", 0)
    (mail_to_staff,) = told()
    assert ada.subscription in mail_to_staff.body
    assert second in mail_to_staff.body
    assert "times" not in mail_to_staff.body, "told once"


def test_one_that_ends_tomorrow_does_not_outlive_the_one_that_staff_sell(world):
    ada = world.subscribed("team")
    cancel.cancel(ada.user, "period_end")
    lasting = world.subscribe_again(ada, Price.objects.get(lookup_key="pro_month").pk)
    world.deliver()
    assert (ada.row.stripe_id, ada.access.plan.slug) == (lasting, "pro")
    world.advance(days=15)
    world.deliver()
    assert (status(world, ada.subscription), status(world, lasting)) == ("canceled", "active")
    assert ada.access.has_access


def test_a_paid_one_beside_a_dead_unpaid_one_counts(world):
    world.subscribed("team")
    Subscription.objects.update(status="unpaid")
    row = Subscription.objects.get()
    paid = Subscription(customer=row.customer, stripe_id="sub_paid", status="active", plan=row.plan, counts=False)
    choosing.mark_counting([row, paid])
    assert (row.counts, paid.counts) == (False, True)


def test_after_the_older_has_ended_the_next_one_is_no_second(world):
    ada = world.subscribed()
    cancel.cancel(ada.user, "now")
    again = world.subscribe(user=ada.user)
    world.deliver()
    assert (status(world, again.subscription), StripeWrite.objects.count()) == ("active", 0)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_the_return_page_and_the_webhooks_at_once_refund_it_once(world):
    ada = world.subscribed()
    second = world.buy_twice(ada, yearly())
    attempt = CheckoutAttempt.objects.get()
    world.deliver(work=False)
    work = [lambda: checkout.refresh_outcome(attempt), testing.work]
    outcomes = at_once(lambda number: work[number](), 2)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    testing.work()
    world.deliver()
    assert (status(world, second), refunded(world, ada)) == ("canceled", [20000])
    assert len(told()) == 1

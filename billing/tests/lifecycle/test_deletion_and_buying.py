"""Nothing is sold to who leaves: a Checkout that is open or paid meanwhile, and two requests at once."""

import pytest

from billing import access, testing
from billing.lifecycle import cancel, change, checkout, customers, deletion, portal, previews
from billing.lifecycle.refusals import AccountClosing
from billing.models import AccountDeletion, CheckoutAttempt, Price
from billing.tests.lifecycle.test_deletion import leave, live_at_stripe
from billing.tests.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)


# Races


def test_an_open_checkout_is_expired_so_that_nobody_pays_it(world):
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month")
    deletion.begin(user)
    testing.work()
    assert world.stripe("GET", f"checkout/sessions/{attempt.session_id}")["status"] == "expired"
    assert CheckoutAttempt.objects.get().status == "expired"


def test_a_checkout_paid_while_closing_is_cancelled_and_refunded(world):
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month")
    leaving = deletion.begin(user)
    world.advance(hours=1)
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    world.deliver()
    leaving.refresh_from_db()
    assert leaving.is_done
    assert live_at_stripe(world) == []
    assert [refund["amount"] for refund in world.stripe("GET", "refunds")["data"]] == [2000]


def test_what_is_paid_even_after_the_end_is_cancelled_and_refunded(world, settings):
    settings.BILLING_DELETE_CUSTOMER = False
    ada = world.subscribed()
    leaving = leave(ada)
    world.advance(hours=1)
    method = world.stripe("POST", "payment_methods/pm_card_visa/attach", customer=ada.customer)["id"]
    price = Price.objects.get(plan__slug="pro", interval="month").pk
    world.stripe(
        "POST", "subscriptions", customer=ada.customer, items=[{"price": price}], default_payment_method=method
    )
    world.deliver()
    leaving.refresh_from_db()
    assert (live_at_stripe(world), leaving.is_done, ada.row.status) == ([], True, "canceled")
    assert leaving.attempts == 1, "its steps were taken once more, by keys of their own"
    assert len(world.stripe("GET", "refunds")["data"]) == 1
    assert not access.has_access(ada.user)


def test_what_a_checkout_wrote_on_the_customer_after_the_end_is_scrubbed_too(world, settings):
    settings.BILLING_DELETE_CUSTOMER = False
    ada = world.subscribed()
    leave(ada)
    world.advance(hours=1)
    world.stripe("POST", f"customers/{ada.customer}", name="Ada Lovelace", email="ada@example.com")
    method = world.stripe("POST", "payment_methods/pm_card_visa/attach", customer=ada.customer)["id"]
    price = Price.objects.get(plan__slug="pro", interval="month").pk
    world.stripe(
        "POST", "subscriptions", customer=ada.customer, items=[{"price": price}], default_payment_method=method
    )
    world.deliver()
    customer = world.stripe("GET", f"customers/{ada.customer}")
    assert (customer["email"], customer["name"]) == (None, None)
    assert live_at_stripe(world) == []


def test_who_leaves_while_a_customer_is_made_for_them_cannot_pay_any_more(world, monkeypatch):
    user = world.sign_up()
    create = customers._create_at_stripe

    def leave_meanwhile(subscriber, *more):
        deletion.begin(user)
        testing.work()
        return create(subscriber, *more)

    monkeypatch.setattr(customers, "_create_at_stripe", leave_meanwhile)
    with pytest.raises(AccountClosing):
        checkout.start(user, "pro", "month")
    assert AccountDeletion.objects.get().is_done
    assert world.stripe("GET", "checkout/sessions")["data"] == []


def test_while_closing_nothing_is_bought_changed_or_resumed(world):
    ada = world.subscribed()
    with world.writes_failing():
        leave(ada)
    acts = [
        lambda: previews.preview(ada.user, "team", "month"),
        lambda: change.change(ada.user, "team", "month"),
        lambda: cancel.resume(ada.user),
        lambda: portal.open_portal(ada.user),
    ]
    for act in acts:
        with pytest.raises(AccountClosing):
            act()
    assert len(world.stripe("GET", "charges", customer=ada.customer)["data"]) == 1


def test_what_was_paid_before_leaving_is_not_refunded(world):
    ada = world.subscribed()
    assert leave(ada).is_done
    assert world.stripe("GET", "refunds")["data"] == []


def test_asking_twice_changes_nothing(world):
    ada = world.subscribed()
    first = leave(ada)
    assert deletion.begin(ada.user) == first
    testing.work()
    assert world.heard.count(("account_closing", ada.customer)) == 1
    assert world.heard.count(("account_closed", ada.customer)) == 1


@pytest.mark.postgres
def test_two_clicks_at_the_same_moment_are_one_deletion(world):
    ada = world.subscribed()
    outcomes = at_once(lambda _: deletion.begin(ada.user).pk, 5)
    assert len(set(outcomes)) == 1
    testing.work()
    assert AccountDeletion.objects.get().is_done
    assert world.heard.count(("account_closing", ada.customer)) == 1

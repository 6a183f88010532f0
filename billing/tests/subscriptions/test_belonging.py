"""Whose a subscription is, in stories: another product's is left alone, and a price that no plan knows is told."""

import pytest
from django.core import mail
from django.test import Client

from billing import access, testing
from billing.lifecycle import cancel, change, checkout, previews
from billing.models import Alert, Dispute, Hold, MrrMovement, Payment, Plan, Price, StripeWrite, Subscription
from billing.setup import doctor

pytestmark = pytest.mark.django_db


def price_of_another_product(world, amount=700, **params):
    product = world.stripe("POST", "products", name="Magazine")["id"]
    return price(world, product, amount, **params)


def price(world, product, amount=9900, **params):
    recurring = {"interval": "month"}
    usual = {"product": product, "currency": "usd", "unit_amount": amount, "recurring": recurring}
    return world.stripe("POST", "prices", **{**usual, **params})["id"]


def product_of_pro():
    return Price.objects.get(lookup_key="pro_month").product


def sold(world, user, price_id, card="pm_card_visa", **params):
    """Staff sell a price in the Dashboard to somebody who may never have bought anything here."""
    customer = checkout.customer_for(user)
    method = world.stripe("POST", f"payment_methods/{card}/attach", customer=customer.pk)["id"]
    made = world.stripe(
        "POST", "subscriptions", customer=customer.pk, items=[{"price": price_id}], default_payment_method=method,
        **params,
    )  # fmt: skip
    world.deliver()
    return made["id"]


def page(user, path="/billing/"):
    client = Client()
    client.force_login(user)
    return client.get(path).content.decode()


def status(world, subscription):
    return world.stripe("GET", f"subscriptions/{subscription}")["status"]


# Another product of the same Stripe account


def test_a_magazine_is_a_row_that_nothing_is_said_about(world):
    ben = world.sign_up("ben@example.com")
    magazine = sold(world, ben, price_of_another_product(world))
    row = Subscription.objects.get()
    assert (row.stripe_id, row.whose, row.line, row.counts, row.plan) == (magazine, "foreign", "", False, None)
    assert access.of(ben).reason == "no_subscription"
    assert not MrrMovement.objects.exists()
    assert not Alert.objects.exists()
    assert world.heard == []
    assert Payment.objects.get().amount == 700


def test_beside_a_magazine_a_plan_is_bought_changed_and_cancelled_and_the_magazine_goes_on(world):
    ben = world.sign_up("ben@example.com")
    magazine = sold(world, ben, price_of_another_product(world))
    bought = world.subscribed(user=ben)
    assert previews.preview(ben, "team", "month").currency == "usd"
    change.change(ben, "team", "month")
    cancel.cancel(ben, "now")
    world.deliver()
    assert (status(world, bought.subscription), status(world, magazine)) == ("canceled", "active")
    assert checkout.start(ben, "pro", "month").url
    assert not StripeWrite.objects.filter(object_id=magazine).exists()


def test_the_magazine_of_a_subscriber_neither_counts_nor_hides_their_plan(world):
    ada = world.subscribed()
    magazine = world.subscribe_again(ada, price_of_another_product(world, 70_000))
    world.deliver()
    assert (ada.row.stripe_id, ada.access.plan.slug) == (ada.subscription, "pro")
    assert Subscription.objects.get(stripe_id=magazine).mrr == 0
    assert "Magazine" not in page(ada.user)
    assert world.said(ada) == []


def test_a_dispute_of_the_magazine_is_shown_to_staff_and_holds_and_tells_nothing(
    world, admin_client, django_capture_on_commit_callbacks
):
    ben = world.sign_up("ben@example.com")
    magazine = sold(world, ben, price_of_another_product(world))
    [charge] = world.stripe("GET", "charges")["data"]
    dispute = world.control("disputes", charge=charge["id"])["id"]
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver()
    alert = Alert.objects.get(cause="dispute_opened")
    assert dispute in alert.text
    assert "another product of the Stripe account" in alert.text
    assert "Access" not in alert.text
    assert (Hold.objects.exists(), world.heard) == (False, [])
    shown = admin_client.get(f"/admin/billing/dispute/{dispute}/change/").content.decode()
    assert "another product of the Stripe account" in shown
    world.control(f"disputes/{dispute}", status="lost")
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver()
    assert (status(world, magazine), Alert.objects.get().waiting) == ("active", 1)


def test_a_fraud_warning_of_the_magazine_is_said_to_be_another_products(world, django_capture_on_commit_callbacks):
    ada = world.subscribed()
    own = world.charge_of(ada)["id"]
    world.subscribe_again(ada, price_of_another_product(world))
    world.deliver()
    world.control("fraud_warnings", charge=world.charge_of(ada)["id"])
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver()
    assert "another product of the Stripe account" in Alert.objects.get(cause="fraud_warning").text
    assert (Hold.objects.exists(), ada.access.reason) == (False, "active")
    world.control("fraud_warnings", charge=own)
    with django_capture_on_commit_callbacks(execute=True):
        world.deliver()
    assert "A refund of the whole period ends access too." in Alert.objects.get(cause="fraud_warning").text


def test_a_dispute_and_a_failed_draft_of_the_magazine_change_nothing(world):
    ben = world.sign_up("ben@example.com")
    magazine = sold(world, ben, price_of_another_product(world))
    [charge] = world.stripe("GET", "charges")["data"]
    dispute = world.control("disputes", charge=charge["id"])
    world.deliver()
    world.control(f"disputes/{dispute['id']}", status="lost")
    invoice = world.stripe("GET", f"invoices/{Subscription.objects.get(stripe_id=magazine).latest_invoice}")
    world.deliver()
    world.deliver([testing.event("invoice.finalization_failed", {**invoice, "last_finalization_error": {}})])
    assert (Dispute.objects.get().status, status(world, magazine)) == ("lost", "active")
    assert (world.heard, StripeWrite.objects.exists()) == ([], False)
    assert not Alert.objects.exclude(cause="dispute_opened").exists()


def test_a_failed_payment_of_the_magazine_is_not_the_plans(world):
    ada = world.subscribed()
    magazine = world.subscribe_again(ada, price_of_another_product(world))
    world.deliver()
    method = world.stripe("POST", "payment_methods/pm_card_chargeCustomerFail/attach", customer=ada.customer)["id"]
    world.stripe("POST", f"subscriptions/{magazine}", default_payment_method=method)
    world.heard.clear()
    world.advance(days=32)
    world.deliver()
    assert status(world, magazine) == "past_due"
    assert world.said(ada) == ["payment_succeeded"], "of the plan's own renewal"
    assert ada.access.reason == "active"


@pytest.mark.parametrize("outcome", ["refund", "lost"])
def test_money_of_the_magazine_that_goes_back_ends_and_holds_nothing(world, outcome):
    ada = world.subscribed()
    magazine = world.subscribe_again(ada, price_of_another_product(world))
    world.deliver()
    world.heard.clear()
    if outcome == "refund":
        world.refund(ada)
    else:
        world.close_dispute(world.dispute(ada), "lost")
    world.deliver()
    world.deliver()
    assert (status(world, magazine), status(world, ada.subscription)) == ("active", "active")
    assert (ada.access.reason, world.said(ada)) == ("active", [])


# A price that no plan knows


def test_a_price_without_a_plan_gives_nothing_by_guess_and_staff_are_told_once(
    world, django_capture_on_commit_callbacks
):
    ben = world.sign_up("ben@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        subscription = sold(world, ben, price(world, product_of_pro()))
        world.stripe("POST", f"subscriptions/{subscription}", description="seen")
        world.deliver()
    row = Subscription.objects.get()
    assert (row.whose, row.line, row.counts, access.of(ben).reason) == ("unknown", "main", True, "unmapped_price")
    assert {name for name, _ in world.heard} == {"payment_succeeded"}
    (alert,) = Alert.objects.all()
    assert (alert.waiting, row.unmapped_price in alert.text, subscription in alert.text) == (1, True, True)
    assert "write to us" in page(ben).lower()
    with pytest.raises(checkout.AlreadySubscribed):
        checkout.start(ben, "pro", "month")


def test_a_switch_in_place_to_a_price_without_a_plan_keeps_plan_and_access_and_shows_no_amount(
    world, django_capture_on_commit_callbacks
):
    ada = world.subscribed()
    world.heard.clear()
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    other = price(world, product_of_pro())
    with django_capture_on_commit_callbacks(execute=True):
        world.stripe("POST", f"subscriptions/{ada.subscription}", items=[{"id": item, "price": other}])
        world.deliver()
    assert (ada.row.whose, ada.row.plan.slug, ada.row.price) == ("unknown", "pro", None)
    assert (ada.access.has_access, ada.access.plan.slug) == (True, "pro")
    shown = page(ada.user)
    assert "$20" not in shown.split("Payments")[0]
    assert "write to us" in shown.lower()
    assert world.said(ada) == []
    assert Alert.objects.count() == 1
    assert list(MrrMovement.objects.values_list("amount", flat=True)) == [2000]


def test_once_a_plan_knows_the_price_it_starts_and_is_told(world):
    ben = world.sign_up("ben@example.com")
    other = price(world, product_of_pro())
    subscription = sold(world, ben, other)
    plan = Plan.objects.get(slug="pro")
    Price.objects.create(pk=other, plan=plan, currency="usd", unit_amount=9900, interval="month")
    world.stripe("POST", f"subscriptions/{subscription}", metadata={"seen": "yes"})
    world.deliver()
    row = Subscription.objects.get()
    assert (row.whose, row.plan and row.plan.slug, access.of(ben).reason) == ("ours", "pro", "active")
    assert [name for name, _ in world.heard].count("subscription_started") == 1


def test_the_doctor_names_what_no_plan_knows_and_who_is_billed_twice(world):
    ada = world.subscribed()
    second = world.subscribe_again(ada, Price.objects.get(lookup_key="team_month").pk)
    ben = world.sign_up("ben@example.com")
    unknown = sold(world, ben, price(world, product_of_pro()))
    said = "\n".join(str(finding) for finding in doctor.examine())
    assert unknown in said
    assert ada.subscription in said
    assert second in said


def test_a_free_price_is_moved_on_from(world):
    ben = world.sign_up("ben@example.com")
    free = sold(world, ben, price(world, product_of_pro(), 0, lookup_key="pro_week"))
    assert (access.of(ben).has_access, access.of(ben).reason, access.of(ben).is_paid) == (True, "free", False)
    bought = world.subscribed("team", user=ben)
    assert (access.of(ben).plan.slug, access.of(ben).reason in ("active", "trialing")) == ("team", True)
    assert status(world, free) == "active"
    assert bought.row.stripe_id == bought.subscription
    assert not mail.outbox

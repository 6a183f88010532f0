"""Rows that change only while they are as they were: an attempt closed meanwhile, another's attempt or change."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from billing.lifecycle import attempts, change, checkout, checkout_session, customers
from billing.lifecycle.live_subscription import Standing
from billing.lifecycle.refusals import AccountClosing, CheckoutReplaced
from billing.models import AccountDeletion, CheckoutAttempt, Customer, Plan, PlanChange, Price
from billing.tests.subscriptions.test_projection import found

pytestmark = pytest.mark.django_db

Status = CheckoutAttempt.Status
SESSION = {"id": "cs_ada", "url": "https://pay", "status": "open"}


@pytest.fixture
def price():
    plan = Plan.objects.create(slug="sold", name="Sold", rank=1)
    return Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def tries(price):
    """An open attempt of each of two."""
    made = []
    for name in ("ada", "ben"):
        user = get_user_model().objects.create_user(f"{name}@example.com")
        customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
        made.append(CheckoutAttempt.objects.create(customer=customer, price=price, quantity=1))
    return made


def state():
    rows = CheckoutAttempt.objects.order_by("customer")
    return [tuple(row) for row in rows.values_list("status", "session_id", "url")]


OPEN, EXPIRED = (Status.OPEN, "", ""), (Status.EXPIRED, "", "")


@pytest.fixture
def asked(monkeypatch):
    """Stripe makes the session `cs_ada` and expires it; the list says what it was asked to do."""
    calls = []

    def post(path, idempotency_key, **params):
        calls.append((path, idempotency_key))
        return SESSION if path.endswith("sessions") else {**SESSION, "status": "expired"}

    monkeypatch.setattr(checkout.stripe_client, "post", post)
    return calls


def test_a_session_is_kept_on_its_own_attempt(tries, asked):
    ada, _ = tries
    made = checkout._with_session(ada, is_first=True)
    assert (made.session_id, made.url) == ("cs_ada", "https://pay")
    assert state() == [(Status.OPEN, "cs_ada", "https://pay"), OPEN]
    assert asked == [("/v1/checkout/sessions", str(ada.pk))]


def test_a_session_made_for_an_attempt_that_was_closed_meanwhile_is_expired_and_kept_nowhere(tries, asked):
    ada, _ = tries
    CheckoutAttempt.objects.filter(pk=ada.pk).update(status=Status.EXPIRED)
    with pytest.raises(CheckoutReplaced):
        checkout._with_session(ada, is_first=True)
    assert state() == [EXPIRED, OPEN]
    assert asked[1] == ("/v1/checkout/sessions/cs_ada/expire", f"expire:{ada.pk}")


@pytest.mark.parametrize(
    ("columns", "is_closed"), [({}, True), ({"session_id": "cs_1"}, False), ({"status": Status.COMPLETED}, False)]
)
def test_an_attempt_is_closed_while_it_is_open_and_has_no_session(tries, columns, is_closed):
    ada, _ = tries
    CheckoutAttempt.objects.filter(pk=ada.pk).update(**columns)
    before = state()
    assert attempts.close_without_session(ada) is is_closed
    assert state() == [EXPIRED if is_closed else before[0], OPEN]


@pytest.mark.parametrize(("status", "left"), [(Status.OPEN, Status.EXPIRED), (Status.COMPLETED, Status.COMPLETED)])
def test_who_began_to_leave_has_their_own_open_attempt_closed(tries, status, left):
    ada, ben = tries
    CheckoutAttempt.objects.filter(pk=ada.pk).update(status=status)
    checkout._give_up_if_deleting(ada.customer.subscriber, ada)
    AccountDeletion.objects.create(subscriber=ada.customer.subscriber, lane="cus_ada", requested_at=timezone.now())
    checkout._give_up_if_deleting(ben.customer.subscriber, ben)
    with pytest.raises(AccountClosing):
        checkout._give_up_if_deleting(ada.customer.subscriber, ada)
    assert state() == [(left, "", ""), OPEN]


@pytest.mark.parametrize(
    ("ended", "status"), [("complete", Status.COMPLETED), ("expired", Status.EXPIRED), ("open", Status.OPEN)]
)
def test_a_session_that_ended_closes_its_open_attempt(tries, ended, status):
    ada, ben = tries
    for one, session in ((ada, "cs_ada"), (ben, "cs_ben")):
        CheckoutAttempt.objects.filter(pk=one.pk).update(session_id=session)
    attempts.close_attempt({"id": "cs_ada", "status": ended})
    if ended != "open":  # what comes later finds it closed
        attempts.close_attempt({"id": "cs_ada", "status": "complete" if ended == "expired" else "expired"})
    assert state() == [(status, "cs_ada", ""), (Status.OPEN, "cs_ben", "")]


def test_a_change_is_marked_and_what_was_asked_before_of_this_subscription_is_refused(price, tries):
    usual = {"price": price, "quantity": 1, "proration_date": 1, "status": "asked"}
    rows = [
        PlanChange.objects.create(customer_id=customer, subscription_id=subscription, **{**usual, **more})
        for customer, subscription, more in (
            ("cus_ada", "sub_1", {}), ("cus_ada", "sub_1", {"status": "made"}), ("cus_ada", "sub_2", {}),
            ("cus_ben", "sub_ben", {}),
        )
    ]  # fmt: skip

    def statuses():
        return [PlanChange.objects.get(pk=row.pk).status for row in rows]

    change.refuse_unanswered(Standing(Customer(pk="cus_ada"), found()))
    assert statuses() == ["refused", "made", "asked", "asked"]
    change.mark(rows[2], PlanChange.Status.MADE)
    assert statuses() == ["refused", "made", "made", "asked"]


# What Stripe is asked for


def params(attempt, is_first=True):
    return checkout_session.session_params(attempt, is_first=is_first)


def test_a_session_is_asked_for_in_full_and_with_nothing_that_is_not_wanted(tries, settings):
    ada, _ = tries
    user = str(ada.customer.subscriber.pk)
    metadata = {"billing_attempt": str(ada.pk), "billing_subscriber": user}
    assert params(ada) == {
        "mode": "subscription",
        "customer": "cus_ada",
        "client_reference_id": user,
        "line_items": [{"price": "price_1", "quantity": 1}],
        "metadata": metadata,
        "subscription_data": {"metadata": metadata},
        "allow_promotion_codes": True,
        "success_url": f"{settings.SITE_URL}/billing/return?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": settings.SITE_URL + reverse("billing:prices"),
    }
    ada.currency = "eur"
    assert params(ada)["currency"] == "eur"


def test_only_a_first_subscription_has_its_plans_trial_and_a_memo_stands_on_each(tries, settings):
    ada, _ = tries
    ada.price.plan.trial_days = 14
    settings.BILLING_INVOICE = {"memo": "Thanks"}
    assert params(ada)["subscription_data"]["trial_period_days"] == 14
    later = params(ada, is_first=False)["subscription_data"]
    assert ("trial_period_days" in later, later["description"]) == (False, "Thanks")
    ada.price.plan.trial_days = 0
    assert "trial_period_days" not in params(ada)["subscription_data"]


@pytest.fixture
def made(monkeypatch):
    """The customers that Stripe was asked to make; the key decides which it makes."""
    calls = []

    def post(path, idempotency_key, **asked):
        calls.append((path, idempotency_key, asked))
        return {"id": f"cus_{len(calls)}"}

    monkeypatch.setattr(customers.stripe_client, "post", post)
    return calls


def test_a_customer_is_made_with_who_they_are_and_what_stands_on_their_invoices(made, settings):
    user = get_user_model().objects.create_user("ada@example.com")
    assert customers._create_at_stripe(user) == ({"id": "cus_1"}, {})
    named = {"email": "ada@example.com", "metadata": {"billing_subscriber": str(user.pk)}}
    settings.BILLING_INVOICE = {"footer": "VAT 1", "memo": "Thanks"}
    customers._create_at_stripe(user)
    assert [asked for _, _, asked in made] == [named, {**named, "invoice_settings": {"footer": "VAT 1"}}]
    keys = [key for _, key, _ in made]
    assert keys[0] != keys[1], "another answer would be of other details"
    assert all(re.fullmatch(rf"customer:accounts\.user:{user.pk}:[0-9a-f]{{12}}", key) for key in keys)
    assert {path for path, _, _ in made} == {"/v1/customers"}


def test_a_customer_whom_stripe_made_before_and_who_is_deleted_is_made_anew_by_another_key(made):
    user = get_user_model().objects.create_user("ada@example.com")
    Customer.objects.create(pk="cus_1", deleted_at=timezone.now())
    Customer.objects.create(pk="cus_2", deleted_at=timezone.now())
    Customer.objects.create(pk="cus_3")
    assert customers._create_at_stripe(user) == ({"id": "cus_3"}, {})
    first, second, third = (key for _, key, _ in made)
    assert (second, third) == (f"{first}:after:cus_1", f"{first}:after:cus_2")
    assert made[0][2] == made[1][2] == made[2][2]


@pytest.mark.parametrize(("email", "kept"), [("ada@example.com", "ada@example.com"), (None, "")])
def test_a_new_customer_is_kept_with_their_address_and_a_known_one_as_they_were(world, email, kept):
    user = get_user_model().objects.create_user("own@example.com")
    made = customers._save_customer(user, {"id": "cus_1", "email": email})
    assert (made.pk, made.email, made.subscriber) == ("cus_1", kept, user)
    again = customers._save_customer(user, {"id": "cus_1", "email": "other@example.com"})
    assert (again, Customer.objects.get().email) == (made, kept)

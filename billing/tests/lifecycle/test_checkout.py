"""Buying: one customer, one open Checkout, and never a second subscription."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing import stripe_client
from billing.lifecycle import checkout, customers, deletion
from billing.lifecycle.customers import customer_for
from billing.lifecycle.refusals import AccountClosing, EmailUnconfirmed
from billing.models import AccountDeletion, CheckoutAttempt, Customer, Payment, Plan, Price, Subscription
from billing.tests.parallel import at_once

Status = CheckoutAttempt.Status
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.sign_up()


def session_of(world, attempt):
    return world.stripe("GET", f"checkout/sessions/{attempt.session_id}")


def statuses():
    return sorted(CheckoutAttempt.objects.values_list("status", flat=True))


# The customer


def test_a_subscriber_has_one_customer_that_leads_back_to_them(world, ada):
    customer = customer_for(ada)
    assert customer_for(ada) == customer
    stripe_customer = world.stripe("GET", f"customers/{customer.pk}")
    assert stripe_customer["metadata"] == {"billing_subscriber": str(ada.pk)}
    assert stripe_customer["email"] == "ada@example.com"
    assert len(world.stripe("GET", "customers")["data"]) == 1


def test_a_customer_left_behind_by_a_crash_is_found_again(world, ada):
    customer = customer_for(ada)
    Customer.objects.all().delete()
    assert customer_for(ada) == customer
    assert len(world.stripe("GET", "customers")["data"]) == 1


def test_a_lost_answer_does_not_make_a_second_customer(world, ada):
    world.control("faults", api={"lose_answer": 1})
    customer_for(ada)
    assert len(world.stripe("GET", "customers")["data"]) == 1


def test_a_customer_with_the_same_address_that_is_someone_elses_is_not_taken(world, ada):
    theirs = world.stripe("POST", "customers", email="ada@example.com", metadata={"billing_subscriber": "someone"})
    assert customer_for(ada).pk != theirs["id"]


def test_after_a_deletion_at_stripe_there_is_a_new_customer(world, ada):
    gone = customer_for(ada)
    world.stripe("DELETE", f"customers/{gone.pk}")
    Customer.objects.update(deleted_at=timezone.now())
    fresh = customer_for(ada)
    assert fresh.pk != gone.pk
    assert customer_for(ada) == fresh
    assert [row.pk for row in Customer.objects.all_of(ada)] == [fresh.pk, gone.pk]


def test_whom_nobody_has_an_address_of_is_not_looked_for_at_stripe(world, ada):
    customer_for(ada)
    get_user_model().objects.filter(pk=ada.pk).update(email="")
    ada.refresh_from_db()
    Customer.objects.all().delete()

    def looks():
        return sum(call["count"] for call in world.calls()["data"] if call["path"] == "/v1/customers"
                   and call["method"] == "GET")  # fmt: skip

    before = looks()
    assert customer_for(ada).subscriber == ada
    assert looks() == before


def test_a_customer_whom_a_webhook_brought_first_is_linked_and_anothers_stays_theirs(world, ada):
    ben = world.sign_up("ben@example.com")
    theirs = {user: customer_for(user) for user in (ada, ben)}
    Customer.objects.filter(pk=theirs[ada].pk).update(subscriber=None)
    assert customer_for(ada) == theirs[ada]
    assert {row.pk: row.subscriber for row in Customer.objects.all()} == {
        customer.pk: user for user, customer in theirs.items()
    }
    assert customers._save_customer(ada, {"id": theirs[ben].pk}).subscriber == ben


# The session


def test_the_session_says_who_buys_what_and_where_to_come_back(world, ada, settings):
    attempt = checkout.start(ada, "pro", "year", "eur")
    session = session_of(world, attempt)
    assert (session["mode"], session["status"], session["currency"]) == ("subscription", "open", "eur")
    assert session["client_reference_id"] == str(ada.pk)
    assert session["metadata"] == {"billing_attempt": str(attempt.pk), "billing_subscriber": str(ada.pk)}
    assert session["success_url"] == f"{settings.SITE_URL}/billing/return?session_id={{CHECKOUT_SESSION_ID}}"
    assert session["amount_total"] == 19_000
    assert session["allow_promotion_codes"] is True


def test_the_subscription_bought_carries_the_same_metadata(world):
    ada = world.subscribe()
    subscription = world.stripe("GET", f"subscriptions/{ada.subscription}")
    assert subscription["metadata"]["billing_subscriber"] == str(ada.user.pk)
    assert set(subscription["metadata"]) == {"billing_attempt", "billing_subscriber"}


def test_a_first_subscription_has_the_plans_trial_and_a_later_one_has_not(world):
    ada = world.subscribed(plan="team")
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "trialing"
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    again = world.subscribe(plan="team", user=ada.user)
    assert world.stripe("GET", f"subscriptions/{again.subscription}")["status"] == "active"


@pytest.mark.parametrize(
    ("plan", "interval", "currency"),
    [("free", "month", ""), ("gold", "month", ""), ("pro", "week", ""), ("pro", "month", "sek")],
)
def test_what_is_not_for_sale_is_refused_before_stripe_is_asked(world, ada, plan, interval, currency):
    with pytest.raises(checkout.PriceNotOffered):
        checkout.start(ada, plan, interval, currency)
    assert not Customer.objects.exists()


def test_a_plan_that_is_not_public_is_not_for_sale(world, ada):
    Plan.objects.filter(slug="pro").update(is_public=False)
    with pytest.raises(checkout.PriceNotOffered):
        checkout.start(ada, "pro", "month")


def is_bens(user):
    """BILLING_EMAIL_IS_CONFIRMED of one test."""
    return user.email == "ben@example.com"


def test_whose_address_is_not_confirmed_is_refused_before_stripe_is_asked_and_whose_is_may_buy(world, ada, settings):
    settings.BILLING_EMAIL_IS_CONFIRMED = "billing.tests.lifecycle.test_checkout.is_bens"
    before = world.calls()["total"]
    with pytest.raises(EmailUnconfirmed):
        checkout.start(ada, "pro", "month")
    assert (world.calls()["total"], Customer.objects.count(), statuses()) == (before, 0, [])
    ben = world.sign_up("ben@example.com")
    assert checkout.start(ben, "pro", "month").customer.subscriber == ben


# One open attempt


def test_the_same_choice_again_goes_on_in_the_same_session(world, ada):
    first = checkout.start(ada, "pro", "month")
    assert checkout.start(ada, "pro", "month").session_id == first.session_id
    assert statuses() == [Status.OPEN]


def test_another_choice_expires_the_session_before(world, ada):
    first = checkout.start(ada, "pro", "month")
    second = checkout.start(ada, "team", "month")
    assert session_of(world, first)["status"] == "expired"
    assert session_of(world, second)["status"] == "open"
    assert statuses() == [Status.EXPIRED, Status.OPEN]


def test_another_currency_is_another_choice(world, ada):
    first = checkout.start(ada, "pro", "month", "eur")
    checkout.start(ada, "pro", "month", "gbp")
    assert session_of(world, first)["status"] == "expired"


def test_a_session_that_expired_at_stripe_is_replaced(world, ada):
    first = checkout.start(ada, "pro", "month")
    world.stripe("POST", f"checkout/sessions/{first.session_id}/expire")
    assert checkout.start(ada, "pro", "month").session_id != first.session_id
    assert statuses() == [Status.EXPIRED, Status.OPEN]


def test_an_attempt_broken_off_before_its_answer_is_gone_on_with(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    session_id = attempt.session_id
    CheckoutAttempt.objects.update(session_id="", url="")
    assert checkout.start(ada, "pro", "month").session_id == session_id


@pytest.mark.parametrize(("minutes", "is_gone_on_with"), [(9, True), (11, False)])
def test_an_attempt_without_an_answer_is_given_up_after_ten_minutes(world, ada, minutes, is_gone_on_with):
    with world.down(), pytest.raises(stripe_client.StripeUnavailable):
        checkout.start(ada, "pro", "month")
    customer = customer_for(ada)
    price = Price.objects.get(lookup_key="pro_month")
    first = CheckoutAttempt.objects.create(customer=customer, price=price)
    CheckoutAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))
    second = checkout.start(ada, "pro", "month")
    assert (second.pk == first.pk) is is_gone_on_with
    assert statuses() == (["open"] if is_gone_on_with else ["expired", "open"])


def test_anothers_open_checkout_is_neither_gone_on_with_nor_closed(world, ada):
    ben = world.sign_up("ben@example.com")
    bens = checkout.start(ben, "pro", "month")
    adas = checkout.start(ada, "team", "month")
    assert (bens.pk != adas.pk, statuses()) == (True, ["open", "open"])
    assert (session_of(world, bens)["status"], session_of(world, adas)["status"]) == ("open", "open")
    assert session_of(world, bens)["customer"] == customer_for(ben).pk != session_of(world, adas)["customer"]


def test_a_lost_answer_leads_to_one_session(world, ada):
    customer_for(ada)
    world.control("faults", api={"lose_answer": 1})
    checkout.start(ada, "pro", "month")
    assert len(world.stripe("GET", "checkout/sessions")["data"]) == 1


# Never a second subscription


def test_a_live_subscription_here_is_enough_to_refuse(world):
    ada = world.subscribed()
    with pytest.raises(checkout.AlreadySubscribed):
        checkout.start(ada.user, "team", "month")


def test_a_live_subscription_that_only_stripe_knows_of_is_enough_to_refuse(world):
    ada = world.subscribe()
    assert not Subscription.objects.filter(status="active").exists()
    with pytest.raises(checkout.AlreadySubscribed):
        checkout.start(ada.user, "pro", "month")
    assert statuses() == [Status.COMPLETED]


def test_who_cancelled_can_buy_again(world):
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert checkout.start(ada.user, "pro", "month").url


def test_the_outage_changes_nothing_and_the_next_click_goes_on(world, ada):
    world.control("faults", api={"fail_next": 20, "status": 503})
    with pytest.raises(stripe_client.StripeUnavailable):
        checkout.start(ada, "pro", "month")
    assert not CheckoutAttempt.objects.exclude(session_id="").exists()
    world.control("faults")
    assert checkout.start(ada, "pro", "month").url


def test_a_refusal_closes_the_attempt_so_that_the_next_one_asks_anew(world, ada, monkeypatch):
    monkeypatch.setattr(checkout, "session_params", lambda attempt, is_first: {"mode": "barter"})
    with pytest.raises(stripe_client.StripeRefused):
        checkout.start(ada, "pro", "month")
    assert set(statuses()) == {Status.EXPIRED}


def test_who_leaves_as_the_click_is_under_way_is_not_shown_a_session(world, ada, monkeypatch):
    customer_for(ada)
    ask, began = stripe_client.client.get, []

    def leave_meanwhile(path, **params):
        if path == "/v1/subscriptions" and not began:
            began.append(deletion.begin(ada))
        return ask(path, **params)

    monkeypatch.setattr(stripe_client.client, "get", leave_meanwhile)
    with pytest.raises(AccountClosing):
        checkout.start(ada, "pro", "month")
    assert AccountDeletion.objects.get() == began[0]
    assert (statuses(), world.stripe("GET", "checkout/sessions")["data"]) == ([Status.EXPIRED], [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ten_clicks_at_once_make_one_customer_and_one_open_session(world):
    ada = get_user_model().objects.create_user("ada@example.com")
    outcomes = at_once(lambda _: checkout.start(ada, "pro", "month"), 10)
    assert {getattr(outcome, "session_id", outcome) for outcome in outcomes} == {outcomes[0].session_id}
    assert len(world.stripe("GET", "customers")["data"]) == 1
    assert [s["status"] for s in world.stripe("GET", "checkout/sessions")["data"]] == ["open"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_with_different_plans_leave_at_most_one_session_open(world):
    ada = get_user_model().objects.create_user("ada@example.com")
    outcomes = at_once(lambda number: checkout.start(ada, ["pro", "team"][number % 2], "month"), 6)
    unexpected = [o for o in outcomes if not isinstance(o, CheckoutAttempt | checkout.CheckoutReplaced)]
    assert not unexpected
    sessions = world.stripe("GET", "checkout/sessions", limit=100)["data"]
    assert [session["status"] for session in sessions].count("open") <= 1


def test_a_session_that_another_tab_got_as_this_one_looked_is_expired_before_another_is_made(world, ada, monkeypatch):
    """Both would be open else, and could both be paid."""
    customer, pro = customer_for(ada), Price.objects.get(plan__slug="pro", interval="month")
    CheckoutAttempt.objects.create(customer=customer, price=pro, quantity=1)
    is_of, other_tab = checkout.Wanted.is_of, []

    def after_the_other_tab(wanted, attempt):
        if wanted.price.plan_id != pro.plan_id and not other_tab:
            other_tab.append(checkout.start(ada, "pro", "month"))
        return is_of(wanted, attempt)

    monkeypatch.setattr(checkout.Wanted, "is_of", after_the_other_tab)
    ours = checkout.start(ada, "team", "month")
    found = {session["id"]: session["status"] for session in world.stripe("GET", "checkout/sessions")["data"]}
    assert found == {other_tab[0].session_id: "expired", ours.session_id: "open"}


def test_an_attempt_of_this_plan_whose_session_another_tab_makes_is_gone_on_with(world, ada):
    pro = Price.objects.get(plan__slug="pro", interval="month")
    made = CheckoutAttempt.objects.create(customer=customer_for(ada), price=pro, quantity=1)
    assert checkout.start(ada, "pro", "month").pk == made.pk
    assert [session["status"] for session in world.stripe("GET", "checkout/sessions")["data"]] == ["open"]


# Coming back


def test_coming_back_paid_gives_access_before_any_webhook(world):
    ada = world.subscribe()
    attempt = CheckoutAttempt.objects.get()
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.PAID
    assert ada.access.has_access
    assert statuses() == [Status.COMPLETED]


def test_coming_back_paid_records_the_payment_and_the_webhooks_announce_nothing_more(world):
    ada = world.subscribe()
    checkout.refresh_outcome(CheckoutAttempt.objects.get())
    told, payment = world.said(ada), ada.last_payment
    assert (payment.amount, told.count("payment_succeeded")) == (2000, 1)
    world.deliver()
    assert (world.said(ada), ada.last_payment) == (told, payment)


def test_coming_back_to_a_trial_records_that_nothing_was_charged_as_its_webhook_does(world):
    ada = world.subscribe(plan="team")
    assert checkout.refresh_outcome(CheckoutAttempt.objects.get()) == checkout.Outcome.PAID
    assert ada.last_payment.amount == 0
    assert "payment_succeeded" not in world.said(ada)


def test_coming_back_before_a_delayed_payment_has_arrived_records_none(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    world.control(f"checkout/{attempt.session_id}/complete", outcome="processing")
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.PROCESSING
    assert not Payment.objects.exists()


def test_coming_back_after_a_delayed_payment_was_refused_says_so_and_it_can_be_bought_anew(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    world.control(f"checkout/{attempt.session_id}/complete", outcome="processing")
    (intent,) = world.stripe("GET", "payment_intents")["data"]
    world.control(f"payments/{intent['id']}", outcome="failed")
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.FAILED
    assert checkout.start(ada, "pro", "month").session_id != attempt.session_id


def test_coming_back_unfinished_leaves_it_open(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.OPEN
    assert statuses() == [Status.OPEN]


def test_coming_back_too_late_finds_it_expired(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    world.stripe("POST", f"checkout/sessions/{attempt.session_id}/expire")
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.EXPIRED
    assert statuses() == [Status.EXPIRED]

"""Nothing bills any more once an account is called deleted, whatever happens on the way."""

import json
from datetime import timedelta
from unittest import mock

import pytest
import stripe
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import ProtectedError
from django.utils import timezone
from djstripe.models import Invoice

from billing import access, signals, stripe_client, testing
from billing.events import sweep, worker
from billing.lifecycle import cancel, change, checkout, customers, deletion, portal, previews
from billing.lifecycle.deletion import copies, process, steps
from billing.lifecycle.refusals import AccountClosing
from billing.models import AccountDeletion, CheckoutAttempt, Customer, Payment, Price, StripeEvent, Subscription
from billing.stripe_client import StripeUnavailable
from billing.stripe_client.http_client import HttpClient
from billing.tests.parallel import at_once
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def leave(subscriber):
    """Ask for it, and let the worker do what it can."""
    leaving = deletion.begin(subscriber.user)
    testing.work()
    leaving.refresh_from_db()
    return leaving


def try_again(leaving):
    """The next try's time has come."""
    AccountDeletion.objects.filter(pk=leaving.pk).update(next_attempt_at=timezone.now())
    sweep.sweep()
    testing.work()
    leaving.refresh_from_db()
    return leaving


def live_at_stripe(world):
    found = world.stripe("GET", "subscriptions", status="all", limit=100)["data"]
    return [item["id"] for item in found if item["status"] not in {"canceled", "incomplete_expired"}]


# The whole way


def test_everything_is_cancelled_and_confirmed_before_it_counts_as_done(world):
    ada = world.subscribed()
    leaving = leave(ada)
    assert (leaving.is_done, leaving.error_message, leaving.next_step) == (True, "", "")
    assert live_at_stripe(world) == []
    assert world.stripe("GET", f"customers/{ada.customer}")["deleted"] is True


def test_the_customer_becomes_a_tombstone_and_the_money_stays(world):
    ada = world.subscribed()
    leave(ada)
    customer = customer_row(ada)
    assert (customer.subscriber, customer.email, bool(customer.deleted_at)) == (None, "", True)
    assert Payment.objects.filter(customer=customer).count() == 1
    assert ada.row.status == "canceled"


def test_late_webhooks_land_on_the_tombstone(world):
    ada = world.subscribed()
    leave(ada)
    world.deliver()
    assert (ada.row.status, customer_row(ada).subscriber) == ("canceled", None)
    assert world.said(ada).count("subscription_ended") == 1
    assert [name for name in world.said(ada) if name.startswith(("access", "account", "customer"))] == [
        "account_closing",
        "access_revoked",
        "customer_deleted",
        "account_closed",
    ]


def test_access_ends_and_nothing_can_be_bought_from_the_first_moment(world):
    ada = world.subscribed()
    deletion.begin(ada.user)
    assert (ada.access.has_access, ada.access.reason) == (False, "closing")
    with pytest.raises(AccountClosing):
        checkout.start(ada.user, "pro", "month")


def test_a_card_that_is_scrubbed_is_kept_at_stripe_without_a_person(world, settings):
    settings.BILLING_DELETE_CUSTOMER = False
    ada = world.subscribed()
    assert leave(ada).is_done
    customer = world.stripe("GET", f"customers/{ada.customer}")
    assert (customer["email"], customer["name"], customer["metadata"]) == (None, None, {})
    assert world.stripe("GET", f"customers/{ada.customer}/payment_methods")["data"] == []
    assert live_at_stripe(world) == []


def test_a_renewal_that_stripe_was_about_to_collect_is_never_collected(world, settings):
    """Within its first hour a renewal's invoice is a draft, which cannot be void."""
    settings.BILLING_DELETE_CUSTOMER = False
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    renews_at = ada.row.current_period_end
    world.advance(hours=(renews_at - testing.now()).total_seconds() / 3600 + 0.1)
    [draft] = world.stripe("GET", "invoices", customer=ada.customer, status="draft")["data"]
    [bystanders] = world.stripe("GET", "invoices", customer=ben.customer, status="draft")["data"]
    assert leave(ada).is_done
    assert world.stripe("GET", f"invoices/{draft['id']}")["auto_advance"] is False
    assert world.stripe("GET", f"invoices/{bystanders['id']}")["auto_advance"] is True
    world.advance(days=2)
    assert world.stripe("GET", f"invoices/{draft['id']}")["status"] == "draft"
    assert world.stripe("GET", f"invoices/{bystanders['id']}")["status"] == "paid"


def test_every_kind_of_subscription_ends_also_those_we_never_knew(world):
    ada = world.subscribed()
    price = Price.objects.get(plan__slug="team", interval="month").pk
    unknown = world.subscribe_again(ada, price)
    trial = world.stripe("POST", "subscriptions", customer=ada.customer, items=[{"price": price}], trial_period_days=5)
    unpaid = world.stripe(
        "POST",
        "subscriptions",
        customer=ada.customer,
        items=[{"price": price}],
        payment_behavior="default_incomplete",
    )
    assert {unknown, trial["id"], unpaid["id"], ada.subscription} == set(live_at_stripe(world))
    assert leave(ada).is_done
    assert live_at_stripe(world) == []


def test_all_that_stripe_lists_on_more_than_one_page_ends(world, monkeypatch):
    ada = world.subscribed()
    price = Price.objects.get(plan__slug="team", interval="month").pk
    more = [world.subscribe_again(ada, price) for _ in range(3)]
    get = steps.stripe_client.get

    def in_pages_of_two(path, **params):
        return get(path, **({**params, "limit": 2} if "limit" in params else params))

    monkeypatch.setattr(steps.stripe_client, "get", in_pages_of_two)
    listed = [item["id"] for item in steps._list_all(AccountDeletion(customer_id=ada.customer), "/v1/subscriptions")]
    assert listed == [*more[::-1], ada.subscription]
    monkeypatch.setattr(steps.stripe_client, "get", get)
    assert leave(ada).is_done
    assert live_at_stripe(world) == []


@pytest.mark.parametrize("days", [1, 40])
def test_past_due_ends_too_and_its_open_invoice_is_void(world, days):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31 + days)
    world.deliver()
    invoice = world.open_invoice(ada) if days == 1 else None
    assert leave(ada).is_done
    assert live_at_stripe(world) == []
    if invoice:
        assert world.stripe("GET", f"invoices/{invoice}")["status"] == "void"
    world.advance(days=60)
    assert world.stripe("GET", "invoices", customer=ada.customer, status="open")["data"] == []


def test_a_paused_subscription_ends_too(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection={"behavior": "void"})
    assert leave(ada).is_done
    assert live_at_stripe(world) == []


def test_a_schedule_is_released_and_does_not_bring_anything_back(world):
    ada = world.subscribed()
    schedule = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    assert leave(ada).is_done
    assert world.stripe("GET", f"subscription_schedules/{schedule['id']}")["status"] == "released"
    world.advance(days=62)
    assert live_at_stripe(world) == []


# Without a customer


def test_who_never_bought_is_closed_by_the_same_way(world):
    user = world.sign_up()
    leaving = deletion.begin(user)
    testing.work()
    leaving.refresh_from_db()
    assert (leaving.is_done, leaving.customer) == (True, None)
    assert world.heard == [("account_closing", ""), ("account_closed", "")]


def test_who_leaves_is_told_at_stripes_address_or_else_at_their_own(world):
    told = {}

    def hear(sender, subscriber, email, **details):
        told[subscriber.pk] = email

    never, ada = world.sign_up("never@example.com"), world.subscribed()
    Customer.objects.filter(pk=ada.customer).update(email="at-stripe@example.com")
    signals.account_closed.connect(hear)
    try:
        process.begin(never)
        testing.work()
        assert told == {never.pk: "never@example.com"}
        leave(ada)
    finally:
        signals.account_closed.disconnect(hear)
    assert told == {never.pk: "never@example.com", ada.user.pk: "at-stripe@example.com"}


def test_a_customer_left_behind_at_stripe_by_a_crash_is_found_and_removed(world):
    user = world.sign_up()
    customer = customers.customer_for(user).pk
    Customer.objects.all().delete()
    leaving = deletion.begin(user)
    testing.work()
    leaving.refresh_from_db()
    assert (leaving.is_done, leaving.customer_id) == (True, customer)
    assert world.stripe("GET", f"customers/{customer}")["deleted"] is True


def test_a_customer_deleted_at_stripe_before_is_no_obstacle(world):
    ada = world.subscribed()
    world.stripe("DELETE", f"customers/{ada.customer}")
    assert leave(ada).is_done
    world.deliver()
    assert world.said(ada).count("customer_deleted") == 1


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


@pytest.mark.postgres
def test_webhooks_while_leaving_do_not_bring_anything_back(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"note": "x"})
    deletion.begin(ada.user)
    world.deliver(work=False)
    outcomes = at_once(lambda _: worker.drain(ada.customer), 2)
    assert set(outcomes) <= {"drained", "busy"}, outcomes
    world.deliver()
    assert AccountDeletion.objects.get().is_done
    assert (ada.row.status, customer_row(ada).subscriber) == ("canceled", None)


# Crashes and outages


@pytest.mark.parametrize("step", [*process.STEPS, "done_at"])
def test_a_crash_after_any_step_is_gone_on_from(world, monkeypatch, step):
    """The worker dies as the next step begins; a later one finishes, and what was confirmed is not asked again."""
    ada = world.subscribed()
    fields = [*process.STEPS, "done_at"]
    following = fields[fields.index(step) :]
    crash = mock.Mock(side_effect=SystemExit)
    if step == "done_at":
        monkeypatch.setattr(process, "_finish", crash)
    else:
        monkeypatch.setitem(process.STEPS, step, crash)
    deletion.begin(ada.user)
    with pytest.raises(SystemExit):
        testing.work()
    leaving = AccountDeletion.objects.get()
    assert [field for field in fields if getattr(leaving, field) is None] == following
    assert customer_row(ada).subscriber == ada.user
    monkeypatch.undo()
    testing.work()
    leaving.refresh_from_db()
    assert leaving.is_done
    assert live_at_stripe(world) == []


@pytest.mark.parametrize("writes", [1, 2, 3, 4])
def test_lost_answers_are_found_done_at_the_next_look(world, writes):
    ada = world.subscribed()
    checkout_open = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    world.control("faults", api={"lose_answer": writes})
    leaving = leave(ada)
    for _ in range(5):
        leaving = leaving if leaving.is_done else try_again(leaving)
    assert leaving.is_done
    assert world.stripe("GET", f"subscription_schedules/{checkout_open['id']}")["status"] == "released"
    assert live_at_stripe(world) == []


def test_while_stripe_is_down_nothing_counts_as_deleted_and_all_is_tried_again(world):
    ada = world.subscribed()
    with world.writes_failing():
        leaving = leave(ada)
        waits = []
        for _ in range(4):
            waits.append((leaving.next_attempt_at - timezone.now()).total_seconds() / 60)
            leaving = try_again(leaving)
    bounds = zip((1, 5, 30, 60), waits, strict=True)
    assert all(minutes * 0.89 < wait < minutes * 1.11 for minutes, wait in bounds), waits
    assert (leaving.is_done, leaving.attempts) == (False, 5)
    assert "StripeUnanswered" in leaving.error_message
    assert customer_row(ada).subscriber == ada.user
    assert live_at_stripe(world) == [ada.subscription]
    assert try_again(leaving).is_done
    assert leaving.error_message == ""
    assert live_at_stripe(world) == []


def test_the_wait_is_never_longer_than_an_hour(world):
    leaving = AccountDeletion(attempts=50, requested_at=timezone.now(), lane="x")
    leaving.save()
    deletion.postpone(leaving, StripeUnavailable("down"))
    assert leaving.next_attempt_at - timezone.now() <= timedelta(hours=1)


def test_a_stripe_that_does_not_answer_at_all_is_an_outage_too(world):
    ada = world.subscribed()

    def nobody_there(*args, **kwargs):
        return b"{}", 503, {}

    with mock.patch.object(HttpClient, "send", nobody_there):
        leaving = leave(ada)
    assert not leaving.is_done
    assert try_again(leaving).is_done


def test_a_subscription_that_stripe_does_not_let_go_is_not_called_deleted(world, monkeypatch):
    ada = world.subscribed()
    monkeypatch.setattr(steps.stripe_client, "delete", lambda *args, **kwargs: {})
    leaving = leave(ada)
    assert not leaving.is_done
    assert ada.subscription in leaving.error_message
    assert leaving.next_step == "cancel subscriptions"


def refusing(path_end, code):
    """Stripe's post or delete that refuses a path with a code, and makes every other call."""

    def through(call):
        def refuse(path, **params):
            if path.endswith(path_end):
                raise stripe.InvalidRequestError("no", "id", code=code)
            return call(path, **params)

        return refuse

    return {name: through(getattr(stripe_client, name)) for name in ("post", "delete")}


def test_a_checkout_that_stripe_does_not_expire_keeps_the_account_closing(world, monkeypatch):
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month")
    leaving = deletion.begin(user)
    with monkeypatch.context() as patched:
        patched.setattr(steps.stripe_client, "post", refusing("/expire", "lock_timeout")["post"])
        testing.work()
    leaving.refresh_from_db()
    assert (leaving.is_done, leaving.next_step) == (False, "expire open Checkouts")
    assert world.stripe("GET", f"checkout/sessions/{attempt.session_id}")["status"] == "open"
    assert try_again(leaving).is_done


@pytest.mark.parametrize(("code", "is_done"), [("resource_missing", True), ("lock_timeout", False)])
def test_only_a_refusal_that_says_it_was_done_before_lets_a_step_pass(world, monkeypatch, code, is_done):
    ada = world.subscribed()
    monkeypatch.setattr(steps.stripe_client, "delete", refusing(ada.customer, code)["delete"])
    leaving = leave(ada)
    assert (leaving.is_done, bool(leaving.error_message)) == (is_done, not is_done)
    assert live_at_stripe(world) == []


def test_a_host_projects_receiver_that_raises_leaves_the_account_closing(world):
    ada = world.subscribed()

    def broken(**kwargs):
        raise KeyError("organisation")

    signals.account_closed.connect(broken)
    try:
        leaving = leave(ada)
    finally:
        signals.account_closed.disconnect(broken)
    assert not leaving.is_done
    assert "KeyError" in leaving.error_message
    assert customer_row(ada).subscriber == ada.user
    assert try_again(leaving).is_done


# Other ways to lose a user


def test_a_user_whom_stripe_may_bill_cannot_be_deleted_from_under_it(world):
    ada = world.subscribed()
    with pytest.raises(ProtectedError):
        ada.user.delete()
    with pytest.raises(ProtectedError):
        get_user_model().objects.all().delete()
    assert Subscription.objects.get().customer.subscriber == ada.user


def test_who_has_left_may_be_deleted_and_the_money_stays(world):
    ada = world.subscribed()
    leave(ada)
    get_user_model().objects.all().delete()
    assert Payment.objects.count() == 1
    assert AccountDeletion.objects.get().subscriber is None


# Copies of what Stripe told us


NORA = {"name": "Nora Quist", "phone": "+4512345678", "address": {"line1": "Vestergade 1", "country": "DK"}}


def kept_of(word):
    """The tables where something about the person is still to be read."""
    found = set()
    for model in [StripeEvent, *apps.get_app_config("djstripe").get_models()]:
        fields = [field.attname for field in model._meta.concrete_fields]
        if word in json.dumps(list(model.objects.values_list(*fields)), default=str):
            found.add(model.__name__)
    return found


@pytest.fixture
def nora(world):
    """A subscriber of whom Stripe told us name, phone and address, in events and objects."""
    nora = world.subscribed(email="nora@example.com")
    world.stripe("POST", f"customers/{nora.customer}", **NORA)
    method = world.stripe("GET", f"subscriptions/{nora.subscription}")["default_payment_method"]
    world.stripe("POST", f"payment_methods/{method}", billing_details=NORA)
    world.advance(days=32)
    world.deliver()
    return nora


@pytest.mark.postgres
@pytest.mark.parametrize("is_deleted", [True, False])
def test_no_copy_keeps_the_person_and_every_copy_keeps_ids_and_money(world, nora, settings, is_deleted):
    settings.BILLING_DELETE_CUSTOMER = is_deleted
    assert kept_of("nora@example.com") >= {"StripeEvent", "Event", "Customer", "Invoice"}
    assert kept_of("Vestergade") >= {"StripeEvent", "Event", "Customer"}
    paid = StripeEvent.objects.filter(type="invoice.paid").earliest("created")
    assert leave(nora).is_done
    world.deliver()
    sweep.sweep()
    testing.work()
    for word in ("nora@example.com", "Nora Quist", "Vestergade", "12345678"):
        assert kept_of(word) == set()
    invoice = StripeEvent.objects.get(pk=paid.pk).payload["data"]["object"]
    assert (invoice["id"], invoice["amount_paid"], invoice["customer"]) == (paid.object_id, 2000, nora.customer)
    assert invoice["customer_email"] is None
    assert Invoice.objects.get(id=paid.object_id).stripe_data["amount_paid"] == 2000


def test_an_event_that_nobody_listens_to_and_that_comes_when_all_is_done_is_redacted_by_the_sweep(world, nora):
    leave(nora)
    world.deliver()
    charge = {"id": "ch_late", "object": "charge", "customer": nora.customer}
    late = testing.event("charge.pending", {**charge, "billing_details": {"email": "nora@example.com"}})
    assert testing.deliver(late).json() == {"status": "ignored"}
    assert kept_of("nora@example.com") == {"StripeEvent"}
    sweep.sweep()
    testing.work()
    assert kept_of("nora@example.com") == set()
    assert StripeEvent.objects.get(pk=late["id"]).payload["data"]["object"]["id"] == "ch_late"
    assert not AccountDeletion.objects.owed(timezone.now()).exists()


def test_a_crash_among_the_events_is_gone_on_from(world, nora, monkeypatch):
    monkeypatch.setattr(copies, "PORTION", 3)
    redact, portions = copies._redact_portion, []

    def die_in_the_third(customer):
        portions.append(customer)
        if len(portions) == 3:
            raise SystemExit
        return redact(customer)

    monkeypatch.setattr(copies, "_redact_portion", die_in_the_third)
    deletion.begin(nora.user)
    with pytest.raises(SystemExit):
        testing.work()
    assert StripeEvent.objects.filter(payload__redacted=True).count() == 6
    assert StripeEvent.objects.unredacted().exists()
    monkeypatch.setattr(copies, "_redact_portion", redact)
    sweep.sweep()
    testing.work()
    assert not StripeEvent.objects.unredacted().filter(lane=nora.customer).exists()


def test_the_events_of_others_stay_as_they_came(world, nora):
    world.subscribed(email="ben@example.com")
    leave(nora)
    assert "StripeEvent" in kept_of("ben@example.com")
    assert set(StripeEvent.objects.filter(payload__redacted=True).values_list("lane", flat=True)) == {nora.customer}

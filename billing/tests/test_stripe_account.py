"""Rows of another Stripe account or mode are left alone, and staff are told; "no such customer" is an answer."""

from contextlib import contextmanager
from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from billing import access, stripe_account, testing
from billing.lanes import writes
from billing.lifecycle import deletion
from billing.models import Alert, Customer, StripeEvent, StripeKey, StripeWrite, Subscription, SyncRun
from billing.setup import doctor
from billing.stripe_client.http_client import HttpClient

from .world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)

HERE, OTHER = "acct_1SandboxSandbox", "acct_other"


def synced(*options):
    out = StringIO()
    call_command("sync_stripe", *options, stdout=out)
    return out.getvalue()


def refused(*options):
    with pytest.raises(CommandError) as stopped:
        synced(*options)
    assert stopped.value.returncode == 1
    return str(stopped.value)


def found(name):
    return [finding for finding in doctor.examine() if finding.name == name]


@contextmanager
def a_key_that_may_not_read_its_account():
    send = HttpClient.send

    def answer(client, method, url, request, post_data=None):
        if url.endswith("/v1/account"):
            return b'{"error": {"type": "invalid_request_error", "message": "not allowed"}}', 403, {}
        return send(client, method, url, request, post_data)

    with mock.patch.object(HttpClient, "send", answer):
        yield


def change_account(world, settings):
    """The key is replaced by one of another account, where nobody of ours lives."""
    world.control("reset", seed=2, account=OTHER)
    settings.STRIPE_SECRET_KEY = f"sk_test_{'B' * 24}"


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def elsewhere(world, ada, settings):
    """The key is changed to another account, where nobody of ours lives."""
    change_account(world, settings)
    assert stripe_account.ask() == OTHER
    return ada


def test_each_customer_has_the_account_and_mode_it_was_made_in(ada):
    row = customer_row(ada)
    assert (row.account, row.livemode) == (HERE, False)


def test_stripe_is_asked_once_for_the_account_of_a_key(world, ada):
    def asked():
        return [call["count"] for call in world.calls()["data"] if call["path"] == "/v1/account"]

    before = asked()
    world.subscribed(email="ben@example.com")
    assert asked() == before
    assert StripeKey.objects.get().account == HERE


def test_the_sync_stops_at_rows_of_another_account_with_one_clear_error(world, ada, settings):
    before = Subscription.objects.values().get()
    change_account(world, settings)
    error = refused()
    assert HERE in error
    assert OTHER in error
    assert ada.customer in error
    assert f"--leave {HERE}" in error
    assert Subscription.objects.values().get() == before
    assert SyncRun.objects.latest("started_at").status == SyncRun.Status.FAILED
    assert OTHER in Alert.objects.get(pk="stripe_account").text


@pytest.mark.parametrize("options", [["--full"], ["--dry-run"]])
def test_no_kind_of_sync_goes_on(world, ada, options, settings):
    change_account(world, settings)
    assert OTHER in refused(*options)


def test_nor_one_of_a_single_customer(world, ada, settings):
    change_account(world, settings)
    assert OTHER in refused("--customer", ada.customer)


def test_the_doctor_names_rows_of_another_account(elsewhere):
    [finding] = found("customers")
    assert finding.level == "error"
    assert HERE in finding.text


def test_rows_of_live_mode_stop_a_test_mode_key(world, ada):
    Customer.objects.update(livemode=True)
    assert "live mode" in refused()
    assert "--leave live" in refused()
    assert found("customers")[0].level == "error"


def test_an_event_for_a_customer_of_another_account_changes_nothing_and_is_told(world, ada, settings):
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    events = world.events()
    change_account(world, settings)
    stripe_account.ask()
    before = Subscription.objects.values().get()
    world.deliver(events, work=False)
    testing.work()
    assert Subscription.objects.values().get() == before
    waiting = StripeEvent.objects.filter(pk__in=[event["id"] for event in events]).exclude(status="ignored")
    assert {event.status for event in waiting} == {"failed"}
    assert all("OfAnotherAccount" in event.error_message for event in waiting)
    assert Alert.objects.filter(pk="stripe_account").exists()


def test_what_we_owe_another_account_stays_owed(world, elsewhere):
    customer = customer_row(elsewhere)
    writes.owe(customer, elsewhere.subscription, "dp_1")
    testing.work()
    write = StripeWrite.objects.get()
    assert write.done_at is None
    assert HERE in write.error_message


def test_nobody_is_deleted_while_another_account_bills_them(elsewhere):
    row = deletion.begin(elsewhere.user)
    testing.work()
    row.refresh_from_db()
    assert not row.is_done
    assert HERE in row.error_message


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada.user)
    return client


def test_the_api_says_customer_unknown_and_not_that_stripe_is_out_of_order(elsewhere, as_ada):
    for name, body in (
        ("billing:api_portal", {}),
        ("billing:api_cancel", {"when": "period_end"}),
        ("billing:api_checkout", {"plan": "team", "interval": "month"}),
    ):
        answer = as_ada.post(reverse(name), body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (409, "customer_unknown"), name
    answer = as_ada.get(reverse("billing:api_invoices"))
    assert (answer.status_code, answer.json()["code"]) == (409, "customer_unknown")
    assert "write to us" in answer.json()["detail"]


def test_the_pages_say_it_too_and_staff_are_told(elsewhere, as_ada):
    answer = as_ada.post(reverse("billing:portal"))
    assert answer.status_code == 409
    assert "write to us" in answer.content.decode()
    assert as_ada.get(reverse("billing:account")).status_code == 200
    assert Alert.objects.filter(pk="customer_unknown").exists()


def test_customers_of_an_account_that_was_left_are_ended_and_may_buy_anew(world, elsewhere):
    assert synced("--leave", HERE).startswith("Ended 1 customer of")
    assert not access.has_access(elsewhere.user)
    assert "Synced" in synced()
    world.reset(seed=3)
    again = world.subscribed(user=elsewhere.user)
    assert access.has_access(again.user)


def test_nobody_of_the_own_account_is_ended_by_leaving_another(world, ada):
    assert synced("--leave", HERE).startswith("Ended 0 customers")
    assert access.has_access(ada.user)


# The neighbours


def test_a_key_that_may_not_read_its_account_syncs_what_it_knows(world, ada, settings):
    settings.STRIPE_SECRET_KEY = f"rk_test_{'C' * 24}"
    with a_key_that_may_not_read_its_account():
        assert "Synced" in synced()
        assert found("key")[-1].level == "warning"
    assert customer_row(ada).account == HERE


def test_a_key_that_may_not_read_its_account_and_knows_nobody_of_ours_stops_the_sync(world, ada, settings):
    change_account(world, settings)
    with a_key_that_may_not_read_its_account():
        error = refused()
    assert "STRIPE_SECRET_KEY" in error
    assert ada.customer in error


def test_an_account_whose_data_were_deleted_stops_the_sync_too(world, ada):
    world.control("reset", seed=2)
    assert ada.customer in refused()
    assert access.has_access(ada.user), "a person decides"
    assert found("customers")[0].level == "error"


def test_rows_from_before_the_column_are_filled_by_the_sync(world, ada):
    Customer.objects.update(account="", livemode=None)
    synced("--full")
    assert (customer_row(ada).account, customer_row(ada).livemode) == (HERE, False)


def test_rows_from_before_the_column_of_an_account_that_was_left_are_not_filled(world, ada, settings):
    Customer.objects.update(account="", livemode=None)
    change_account(world, settings)
    assert ada.customer in refused("--full")
    assert customer_row(ada).account == ""


def test_a_single_customer_whom_stripe_does_not_know_is_named_and_keeps_access(world, ada):
    world.subscribed(email="ben@example.com")
    world.subscribed(email="eve@example.com")
    world.sandbox.state.table("customer").rows.pop(ada.customer)
    world.sandbox.state.table("subscription").rows.pop(ada.subscription)
    assert f"{ada.customer}: Stripe knows no such customer" in synced("--full")
    assert customer_row(ada).missing_since
    assert access.has_access(ada.user)
    assert ada.customer in Alert.objects.get(pk="customers_missing").text
    assert ada.customer in found("customers")[0].text


def test_a_page_about_a_customer_whom_stripe_does_not_know_says_so(world, as_ada, ada):
    world.sandbox.state.table("customer").rows.pop(ada.customer)
    answer = as_ada.post(reverse("billing:api_portal"), {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "customer_unknown")


def test_a_customer_who_is_known_again_is_missing_no_more(world, ada):
    Customer.objects.update(missing_since=timezone.now())
    synced("--full")
    assert customer_row(ada).missing_since is None
    assert found("customers")[0].level == "ok"


def test_a_customer_deleted_at_stripe_while_our_row_lives_is_ended_by_the_sync(world, ada):
    world.stripe("DELETE", f"customers/{ada.customer}")
    world.events()
    assert "Synced" in synced("--full")
    assert customer_row(ada).deleted_at
    assert not access.has_access(ada.user)


def test_staff_end_a_customer_whom_stripe_does_not_know(world, ada, admin_client):
    world.sandbox.state.table("customer").rows.pop(ada.customer)
    page = reverse("admin:billing_customer_action", args=[ada.customer, "end-unknown"])
    assert admin_client.get(page).status_code == 302
    Customer.objects.update(missing_since=timezone.now())
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"reason": "test data were cleared"}).status_code == 302
    assert customer_row(ada).deleted_at


def test_staff_cannot_end_a_customer_whom_stripe_knows_after_all(world, ada, admin_client):
    Customer.objects.update(missing_since=timezone.now())
    page = reverse("admin:billing_customer_action", args=[ada.customer, "end-unknown"])
    assert admin_client.post(page, {"reason": "gone"}).status_code == 409
    assert customer_row(ada).deleted_at is None


def test_a_deletion_that_waits_for_an_account_ends_once_that_account_was_left(elsewhere):
    row = deletion.begin(elsewhere.user)
    testing.work()
    synced("--leave", HERE)
    deletion.process.try_now(row)
    testing.work()
    row.refresh_from_db()
    assert (row.is_done, row.error_message) == (True, "")


def test_late_events_of_an_account_that_was_left_do_not_die(world, ada, settings):
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    events = world.events("customer.subscription.updated")
    change_account(world, settings)
    synced("--leave", HERE)
    world.deliver(events)
    assert not access.has_access(ada.user)

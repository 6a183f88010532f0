"""What Stripe refuses about somebody who is gone cannot keep an account closing for ever."""

import json
import re
from contextlib import contextmanager
from unittest import mock

import pytest
from django.utils import timezone

from billing import testing
from billing.events import sweep
from billing.lifecycle import deletion
from billing.models import AccountDeletion, Customer
from billing.stripe_client.http_client import HttpClient
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def refusing(method, pattern, status=400, when=lambda: True, **error):
    """Stripe refuses these requests, as long as `when` says so."""
    send = HttpClient.send
    body = json.dumps({"error": {"type": "invalid_request_error", "message": "No.", **error}}).encode()

    def answer(client, verb, url, request, post_data=None):
        if verb.lower() == method and re.search(pattern, url) and when():
            return body, status, {}
        return send(client, verb, url, request, post_data)

    with mock.patch.object(HttpClient, "send", answer):
        yield


def leave(subscriber):
    leaving = deletion.begin(subscriber.user)
    testing.work()
    leaving.refresh_from_db()
    return leaving


def try_again(leaving):
    AccountDeletion.objects.filter(pk=leaving.pk).update(next_attempt_at=timezone.now())
    sweep.sweep()
    testing.work()
    leaving.refresh_from_db()
    return leaving


def is_deleted(world, person):
    row = world.sandbox.state.find("customer", person.customer)
    return row is None or bool(row.get("deleted"))


@pytest.mark.parametrize("status", [400, 404])
def test_a_list_that_is_refused_about_a_deleted_customer_ends_no_deletion_half_way(world, status):
    ada = world.subscribed()
    with refusing("get", "/v1/subscriptions", status, when=lambda: is_deleted(world, ada)):
        leaving = leave(ada)
    assert (leaving.is_done, leaving.error_message) == (True, "")
    assert leaving.subscriptions_canceled_at


def test_somebody_deletes_the_customer_in_the_dashboard_while_we_are_at_it(world):
    ada = world.subscribed()

    def deleted_meanwhile():
        if not is_deleted(world, ada):
            world.stripe("DELETE", f"customers/{ada.customer}")
        return True

    with refusing("get", "/v1/subscription_schedules", 404, when=deleted_meanwhile, code="resource_missing"):
        leaving = leave(ada)
    assert leaving.is_done


def test_a_refusal_about_somebody_who_is_still_there_is_no_end(world):
    ada = world.subscribed()
    with refusing("get", "/v1/subscription_schedules"):
        leaving = leave(ada)
    assert not leaving.is_done
    assert "No." in leaving.error_message
    assert try_again(leaving).is_done


@pytest.mark.parametrize(("status", "code"), [(400, None), (404, "resource_missing")])
def test_a_cancellation_that_is_refused_since_the_subscription_has_ended_is_done(world, status, code):
    ada = world.subscribed()

    def ended_meanwhile():
        world.sandbox.state.table("subscription").rows[ada.subscription]["status"] = "canceled"
        return True

    with refusing("delete", f"/v1/subscriptions/{ada.subscription}", status, when=ended_meanwhile, code=code):
        leaving = leave(ada)
    assert leaving.is_done


def test_a_cancellation_that_is_refused_while_it_bills_is_named_with_stripes_reason(world):
    ada = world.subscribed()
    with refusing("delete", f"/v1/subscriptions/{ada.subscription}"):
        leaving = leave(ada)
    assert not leaving.is_done
    assert f"{ada.subscription} (No.)" in leaving.error_message


def forgotten_by_stripe(world, ada):
    for kind, name in (("customer", ada.customer), ("subscription", ada.subscription)):
        world.sandbox.state.table(kind).rows.pop(name)


def test_a_customer_whom_the_own_account_does_not_know_ends_as_deleted(world):
    ada = world.subscribed()
    forgotten_by_stripe(world, ada)
    assert leave(ada).is_done


def test_while_it_is_not_known_whose_the_customer_is_the_deletion_waits(world):
    ada = world.subscribed()
    Customer.objects.update(account="")
    forgotten_by_stripe(world, ada)
    leaving = leave(ada)
    assert not leaving.is_done
    assert "No such customer" in leaving.error_message


def test_what_is_confirmed_as_cancelled_stays_so_when_stripe_forgets_the_customer(world):
    ada = world.subscribed()
    with refusing("delete", f"/v1/customers/{ada.customer}"):
        leaving = leave(ada)
    assert leaving.subscriptions_canceled_at
    Customer.objects.update(account="")
    forgotten_by_stripe(world, ada)
    assert try_again(leaving).is_done


def test_events_about_a_deleted_customer_do_not_die_of_a_refusal(world):
    ada = world.subscribed()
    assert leave(ada).is_done
    with refusing("get", "/v1/(subscriptions|customers)", 404, code="resource_missing"):
        world.deliver()
    assert customer_row(ada).deleted_at

"""An agreement is started in its customer's lane, beside nothing else, and recorded with what Stripe has then."""

from types import SimpleNamespace

import pytest

from billing import cause, stripe_client
from billing.lifecycle.agreements import starting
from billing.models import Agreement
from billing.stripe_client import fetch, reads

from . import test_agreement_beginning as beginning
from . import test_agreement_making as making
from .test_agreement_beginning import NOW, facts_of
from .test_agreement_making import metadata

pytestmark = pytest.mark.django_db

_noon = beginning._noon
ben, price, ada, customer, calls = making.ben, making.price, making.ada, making.customer, making.calls


@pytest.fixture
def recorded(monkeypatch):
    done = []
    monkeypatch.setattr(fetch, "current_invoice", lambda invoice, whose: done.append(("read", invoice, whose)))
    monkeypatch.setattr(starting.subscriptions, "refresh_rows", lambda whose: done.append(("refreshed", whose.pk)))
    monkeypatch.setattr(starting.payments, "record_invoice", lambda whose, invoice: done.append((whose.pk, invoice)))
    return done


@pytest.mark.parametrize("invoice", ["in_1", ""])
def test_what_was_started_is_recorded_with_its_invoice_which_is_read_first(ada, customer, recorded, invoice):
    Agreement.objects.filter(pk=ada.pk).update(error_message="Stripe refused it")
    starting._record(ada, customer, "sub_1", invoice)
    read, kept = ([("read", "in_1", "cus_ada")], [("cus_ada", "in_1")]) if invoice else ([], [])
    assert recorded == [*read, ("refreshed", "cus_ada"), *kept]
    facts = facts_of(ada)
    assert (facts["status"], facts["subscription_id"], facts["invoice_id"]) == ("started", "sub_1", invoice)
    assert (facts["started_at"], facts["error_message"]) == (NOW, "")


@pytest.fixture
def way(monkeypatch, recorded):
    """This notes who was asked for, in which line, by whom, with what was read; `there` is what Stripe has."""
    way = SimpleNamespace(asked=[], there=[])

    def make_way(customer, line, is_own):
        way.asked.append((customer.pk, line, cause.current(), reads._current.get()))
        return next((found for found in way.there if is_own(found)), None)

    monkeypatch.setattr(starting.checkout, "make_way", make_way)
    return way


def test_it_is_started_once_the_way_is_free_by_who_sent_it(ada, customer, calls, way, recorded):
    ada.customer = customer
    with stripe_client.drain_reads():
        starting._start(ada, 1.0)
    assert [entry[:3] for entry in way.asked] == [("cus_ada", "main", "staff:7")]
    assert [path for path, *_ in calls] == ["/v1/subscriptions", "/v1/invoices/in_1/send"]
    assert (facts_of(ada)["status"], facts_of(ada)["subscription_id"]) == ("started", "new_1")


def test_what_an_earlier_try_made_is_taken_and_without_a_sender_the_agreement_is_the_cause(ada, customer, calls, way):
    ada.customer, ada.sent_by = customer, ""
    way.there = [{"id": "sub_other", "metadata": {}, "latest_invoice": None},
                 {"id": "sub_own", "metadata": metadata(ada), "latest_invoice": None}]  # fmt: skip
    starting._start(ada, 1.0)
    assert (calls, way.asked[0][2], facts_of(ada)["subscription_id"]) == ([], "agreement", "sub_own")


def test_what_was_made_is_kept_though_its_invoice_could_not_be_asked_for(ada, customer, calls, way, monkeypatch):
    ada.customer = customer
    calls.at_stripe = {}
    with pytest.raises(KeyError):
        starting._start(ada, 1.0)
    assert (facts_of(ada)["status"], facts_of(ada)["subscription_id"]) == ("starting", "new_1")


@pytest.mark.parametrize("status", ["discarded", "started"])
def test_what_is_not_starting_any_more_once_the_lane_is_free_is_left_alone(ada, customer, calls, way, status):
    ada.customer = customer
    Agreement.objects.filter(pk=ada.pk).update(status=status)
    starting._start(ada, 1.0)
    assert (way.asked, calls, facts_of(ada)["status"]) == ([], [], status)


def test_what_was_read_to_decide_is_not_what_is_recorded(ada, customer, calls, way, monkeypatch):
    ada.customer, seen = customer, []
    monkeypatch.setattr(starting, "_record", lambda *what: seen.append(reads._current.get()))
    starting._start(ada, 1.0)
    assert way.asked[0][3] is not seen[0]

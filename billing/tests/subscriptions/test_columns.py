"""The columns about the card that will be charged, as the projection keeps them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from billing.models import Customer, PaymentFailure, Subscription
from billing.subscriptions import columns

CARD: dict[str, Any] = {"brand": "visa", "last4": "4242", "exp_month": 2, "exp_year": 2028}
VISA: dict[str, Any] = {"id": "pm_1", "object": "payment_method", "card": CARD}


def found(own: Any = None, of_customer: Any = None, **more: Any) -> dict[str, Any]:
    customer = {"id": "cus_1", "invoice_settings": {"default_payment_method": of_customer}}
    return {"default_payment_method": own, "customer": customer, **more}


def test_a_card_works_to_the_last_day_of_its_month_leap_years_included():
    assert columns.card_columns(found(own=VISA)) == {
        "payment_method_type": "card",
        "card_brand": "visa",
        "card_last4": "4242",
        "card_expires_on": date(2028, 2, 29),
    }


def test_the_subscriptions_own_card_comes_before_the_customers():
    other = {**VISA, "card": {**CARD, "last4": "1111"}}

    assert columns.card_columns(found(own=VISA, of_customer=other))["card_last4"] == "4242"
    assert columns.card_columns(found(of_customer=other))["card_last4"] == "1111"


@pytest.mark.parametrize("method", [None, {"id": "pm_2", "object": "payment_method", "type": "sepa_debit"}])
def test_no_card_is_shown_where_none_is_charged(method):
    kind = method["type"] if method else ""
    assert columns.card_columns(found(own=method)) == {**columns.NO_METHOD, "payment_method_type": kind}


@pytest.mark.parametrize(
    "unexpanded", [found(own="pm_1"), {"default_payment_method": None, "customer": "cus_1"}, found(default_source="c")]
)
def test_what_was_not_expanded_changes_nothing(unexpanded):
    assert columns.card_columns(unexpanded) == {}


def test_a_deleted_customer_has_no_card():
    assert (
        columns.card_columns({"default_payment_method": None, "customer": {"id": "cus_1", "deleted": True}})
        == columns.NO_METHOD
    )


def test_a_new_card_is_known_with_the_event_that_brings_it(world):
    ada = world.subscribed()
    assert (ada.row.card_brand, ada.row.card_last4) == ("visa", "4242")

    world.change_card(ada, "pm_card_mastercard")
    world.deliver()

    assert (ada.row.card_brand, ada.row.card_last4) == ("mastercard", "4444")


# How it is paid, whether it is paused, and what failed


NOTHING_SAID = {
    "has_payment_method": False, "collection_method": "", "collection_paused": "", "collection_resumes_at": None,
    "trial_end_without_card": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "columns_then"),
    [
        ({}, {}),
        ({"collection_method": "send_invoice"}, {"collection_method": "send_invoice"}),
        ({"pause_collection": {"behavior": "void"}}, {"collection_paused": "void"}),
        (
            {"pause_collection": {"behavior": "void", "resumes_at": 60}},
            {"collection_paused": "void", "collection_resumes_at": datetime(1970, 1, 1, 0, 1, tzinfo=UTC)},
        ),
        ({"trial_settings": {"end_behavior": None}}, {}),
        (
            {"trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}},
            {"trial_end_without_card": "pause"},
        ),
        ({"default_payment_method": "pm_1"}, {"has_payment_method": True}),
        ({"default_source": "src_1"}, {"has_payment_method": True}),
        ({"customer": {"invoice_settings": {"default_payment_method": "pm_1"}}}, {"has_payment_method": True}),
        ({"customer": {"default_source": "src_1"}}, {"has_payment_method": True}),
    ],
)
def test_how_a_subscription_is_paid_is_known_from_stripes_answer_alone(changes, columns_then):
    assert columns.collection_columns({**found(), **changes}) == {**NOTHING_SAID, **columns_then}


def test_whether_there_is_a_card_stays_where_the_customer_was_not_expanded():
    told = columns.collection_columns({**found(), "customer": "cus_1"})
    assert told == {name: value for name, value in NOTHING_SAID.items() if name != "has_payment_method"}


BEFORE = datetime(2027, 1, 1, tzinfo=UTC)
END = datetime(2027, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("paused", "before", "until"),
    [
        ("void", {}, END),
        ("void", {"collection_paused": "void", "paid_until": BEFORE}, BEFORE),
        ("void", {"collection_paused": "void"}, END),
        ("void", {"collection_paused": "keep_as_draft", "paid_until": BEFORE}, END),
        ("void", {"collection_paused": "void", "paid_until": BEFORE, "stripe_id": "sub_2"}, END),
        ("keep_as_draft", {"collection_paused": "void", "paid_until": BEFORE}, None),
        (None, {"collection_paused": "void", "paid_until": BEFORE}, None),
    ],
)
def test_what_was_paid_when_invoices_began_to_be_voided_stays_while_they_are(paused, before, until):
    told = {"id": "sub_1", "pause_collection": paused and {"behavior": paused}}
    row = Subscription(**{"stripe_id": "sub_1", **before})
    assert columns._paid_until(told, row, int(END.timestamp())) == until


def past_due(method=None, **changes):
    return found(own=method, id="sub_1", status="past_due", **changes)


def an_open_invoice(name):
    return [{"id": "in_1", "created": 1, "due_date": None, "status_transitions": {"finalized_at": 10}}]


DEBIT = {"id": "pm_2", "type": "sepa_debit", "sepa_debit": {}}


@pytest.mark.parametrize(
    ("before", "told", "method"),
    [
        ({}, past_due(VISA), "card"),
        ({}, past_due(DEBIT), "sepa_debit"),
        ({}, past_due("pm_1"), ""),
        ({"payment_method_type": "sepa_debit"}, past_due(VISA), "sepa_debit"),
        ({"past_due_method": "sepa_debit", "payment_method_type": "card"}, past_due(VISA), "sepa_debit"),
        ({"past_due_method": "sepa_debit", "stripe_id": "sub_2"}, past_due(VISA), "card"),
        ({"past_due_method": "sepa_debit"}, past_due(VISA, collection_method="send_invoice"), ""),
    ],
)
@pytest.mark.django_db
def test_what_failed_is_what_was_charged_before(before, told, method):
    row = Subscription(**{"stripe_id": "sub_1", **before})
    assert columns.grace_columns(row, told, an_open_invoice)["past_due_method"] == method


@pytest.mark.django_db
def test_a_recorded_failure_says_when_and_what_and_a_bystanders_does_not():
    customer = Customer.objects.create(pk="cus_1")
    row, first = Subscription(stripe_id="sub_1", payment_method_type="card"), datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    about = {"customer": customer, "amount": 1, "currency": "usd"}
    for number, name in enumerate(("sub_1", "sub_1", "sub_2")):
        PaymentFailure.objects.create(
            **about, subscription_id=name, invoice_id="in_1", method="sepa_debit" if number == 0 else "card",
            failed_at=first + timedelta(minutes=number if name == "sub_1" else -1), attempt=number,
        )  # fmt: skip
    assert columns.grace_columns(row, past_due(VISA), an_open_invoice) == {
        "past_due_since": first,
        "past_due_method": "sepa_debit",
    }


@pytest.mark.parametrize(
    ("before", "since"),
    [({}, "now"), ({"past_due_since": BEFORE}, BEFORE), ({"past_due_since": BEFORE, "stripe_id": "sub_2"}, "now")],
)
@pytest.mark.django_db
def test_the_grace_of_a_debit_begins_as_we_learn_of_its_failure(before, since, settings, time_machine):
    settings.BILLING_CLOCK = ""
    time_machine.move_to(END, tick=False)
    row = Subscription(**{"stripe_id": "sub_1", **before})
    told = columns.grace_columns(row, past_due(DEBIT), an_open_invoice)
    assert told["past_due_since"] == (END if since == "now" else since)
    card = columns.grace_columns(row, past_due(VISA), an_open_invoice)
    assert card["past_due_since"] == datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(("name", "keeps"), [("sub_1", True), ("sub_2", False)])
def test_a_status_that_we_do_not_know_leaves_the_grace_of_that_subscription(name, keeps):
    row = Subscription(stripe_id=name, past_due_since=BEFORE, past_due_method="card")
    told = columns.grace_columns(row, {**past_due(VISA), "status": "asleep"}, an_open_invoice)
    assert told == ({"past_due_since": BEFORE, "past_due_method": "card"} if keeps else columns.NO_GRACE)


@pytest.mark.parametrize(
    ("told", "takes_days"),
    [
        (past_due(VISA), False),
        (past_due(DEBIT), True),
        (past_due("pm_1"), False),
        (past_due(VISA, collection_method="send_invoice"), True),
        (past_due(VISA, collection_method="charge_automatically"), False),
    ],
)
def test_debits_and_invoices_that_are_sent_take_days(told, takes_days):
    assert columns.pays_in_days(told) is takes_days


def pending(**changes):
    return {"id": "sub_1", "schedule": None, "pending_update": None, "latest_invoice": None, **changes}


@pytest.mark.parametrize("schedule", ["sub_sched_1", {"id": "sub_sched_1", "status": "of_tomorrow"}])
def test_a_schedule_that_was_not_expanded_or_is_of_a_status_we_do_not_know_changes_nothing(schedule, db):
    assert columns.pending_columns(pending(schedule=schedule)) == {}


def test_without_a_schedule_nothing_is_pending():
    nothing = {
        "pending_kind": "", "pending_price": None, "pending_at": None, "pending_url": "", "pending_add_ons": None
    }  # fmt: skip
    assert columns.pending_columns(pending()) == nothing
    assert columns.pending_columns({"id": "sub_1", "latest_invoice": None}) == nothing

"""Every setting has a check: a wrong value is named with what to set, and breaks nothing else."""

from typing import Any

import pytest
from django.core.checks import run_checks

from billing.conf import documented
from billing.setup.checks import kinds, values

WRONG: dict[str, list[Any]] = {
    "STRIPE_SECRET_KEY": [None, 7],
    "STRIPE_API_VERSION": ["latest", "", None],
    "STRIPE_API_BASE": ["127.0.0.1:12111", "ftp://example.com", None, "http://[::1"],
    "STRIPE_LIVE_MODE": ["false", 0, None],
    "STRIPE_WEBHOOK_SECRETS": ["whsec_one_text", None, [None]],
    "SITE_URL": ["example.com", "", "//example.com", "https://", None],
    "BILLING_PAGES": [None, ["return"], {"cancel": "https://a.example/"}, {"return": "/paid"}, {"account": 7}],
    "BILLING_SITE": [None, ["Acme"], {"motto": "Hi"}, {"terms": "terms"}, {"support": ""}, {"name": 7}],
    "BILLING_CLOCK": ["billing.clock.nothing", "nonsense", "billing.access.explain", None],
    "BILLING_ACCESS_RULE": ["no.such.module.rule", "billing.clock.now", 7],
    "BILLING_REQUEST_SUBSCRIBER": ["nowhere.at_all", "billing.access.payer.noun", 7],
    "BILLING_MAY_MANAGE": ["nowhere.at_all", "billing.access.payer.the_user", "billing.conf.LOOPBACK"],
    "BILLING_CUSTOMER_DETAILS": ["billing.nothing", "billing.access.payer.may_manage", None],
    "BILLING_SEATS": ["billing.nothing", "billing.access.payer.noun", 1],
    "BILLING_EMAIL_IS_CONFIRMED": ["billing.nothing", "billing.access.payer.noun", True],
    "BILLING_FREE_PLAN": ["", "no slug", None],
    "BILLING_GRACE_DAYS": [-1, 1.5, "3", True, None],
    "BILLING_DEBIT_GRACE_DAYS": [-1, 1.5, "14", True, None],
    "BILLING_DISPUTE_HOLDS": ["no", None],
    "BILLING_LOST_DISPUTE_CANCELS": [0],
    "BILLING_FULL_REFUND_CANCELS": [1],
    "BILLING_DELETE_CUSTOMER": ["True"],
    "BILLING_CHECKOUT_RATE": ["5 per minute", "m/5", "", None, "5"],
    "BILLING_INVOICE": [
        "a footer",
        {"foot": "…"},
        {"footer": 7},
        {"memo": "x" * 501},
        {"custom_fields": [{"name": "VAT", "value": "1"}] * 5},
        {"custom_fields": [{"name": "x" * 41, "value": "1"}]},
        {"custom_fields": [{"name": "VAT", "value": "x" * 141}]},
        {"custom_fields": [{"name": "VAT"}]},
        {"custom_fields": {"VAT": "1"}},
    ],
    "BILLING_TAX": [
        {"codes": {"pro": "books"}},
        True,
        ["automatic"],
        {"automatik": True},
        {"automatic": "yes"},
        {"tax_ids": "required"},
        {"behavior": "included"},
        {"behavior": ["inclusive"]},
        {"code": "digital"},
        {"rates": "txr_1"},
        {"rates": []},
        {"rates": ["19"]},
        {"rates": ["txr_1", "txr_1"]},
        {"automatic": True, "rates": ["txr_1"]},
    ],
    "BILLING_RENEWAL_REMINDER_DAYS": [-1, "30"],
    "BILLING_INVOICE_REMINDER_DAYS": [-1, "3", None],
    "BILLING_INVOICE_DAYS": [0, -1, "30", None],
    "BILLING_CARD_REMINDER_DAYS": [-0.5, None],
    "BILLING_WEBHOOK_TOLERANCE": [0, -300, "300"],
    "BILLING_WEBHOOK_MAX_BYTES": [0, "1 MiB"],
    "BILLING_STRIPE_TIMEOUT": [0, -1, "20", float("inf")],
    "BILLING_STRIPE_REQUEST_TIMEOUT": [0, None],
    "BILLING_STRIPE_RATE": [-1, "many", float("nan")],
    "BILLING_STRIPE_CIRCUIT_FAILURES": [0, 2.5],
    "BILLING_STRIPE_CIRCUIT_SECONDS": [0, None],
    "BILLING_LEASE_SECONDS": [0, "120"],
    "BILLING_UNANSWERED_SECONDS": [-1, "10", None],
    "BILLING_CHECKOUT": ["nowhere.at_all", "billing.access.payer.noun", {"mode": "payment"}],
    "BILLING_CHECKOUT_EMBEDDED": ["yes", 1, None],
    "STRIPE_PUBLISHABLE_KEY": ["sk_test_1", "key", None],
    "BILLING_ADD_CARD": ["Portal", "", None],
    "BILLING_TRIAL_WITHOUT_CARD": ["yes", "create_invoice", "", None],
    "BILLING_TRIAL_DAYS": ["nowhere.at_all", "billing.access.payer.noun", 14],
    "BILLING_TRIAL_ONCE_PER": ["card", ["ip"], None, ["card", 7]],
    "BILLING_TRIAL_SAME_CARD": ["cancel", "", None],
    "BILLING_PAUSE_DAYS": [-1, 731, "30", None],
    "BILLING_CANCEL_OFFER": ["nowhere.at_all", "billing.access.payer.noun", 7],
    "BILLING_CREDITS_LOW_PERCENT": [-1, 101, "20", None],
    "BILLING_GUESTS_BUY_PACKS": ["yes", 1, None],
    "BILLING_CREDITS_REMINDER_DAYS": [-1, "7", None],
    "BILLING_SPEND_CAP": [5000, {"usd": -1}, {"usd": "5000"}, {"dollars": 5000}],
    "BILLING_SPEND_CAP_POLICY": ["Stop", "", None],
    "BILLING_QUEUE": ["Celery", "", None, ["rq"]],
    "BILLING_RQ_QUEUE": ["nowhere.at_all", "billing.access.payer.the_user", 7],
    "BILLING_READY_DEAD_EVENTS": [-1, None],
    "BILLING_ALERT_MINUTES": [0, "60"],
    "BILLING_SILENT_HOURS": [0, None],
    "BILLING_MONITORING_TOKEN": [None, 7],
    "BILLING_DASHBOARD_CURRENCY": ["dollars", "$", None],
}
ELSEWHERE = {
    "BILLING_SUBSCRIBER_MODEL",
    "BILLING_APP_LABEL",
    "BILLING_PLANS",
    "BILLING_ADD_ONS",
    "BILLING_PACKS",
    "BILLING_DASHBOARD_RATES",
}
BY_NAME = {row.name: row.check_id for row in values.TABLE}


def found():
    return {said.id: said for said in run_checks(tags=["billing"])}


def test_every_setting_there_is_has_a_check_and_its_wrong_values_are_known_here():
    assert BY_NAME.keys() | ELSEWHERE == documented().keys()
    assert BY_NAME.keys() == WRONG.keys()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, wrong in WRONG.items() for value in wrong])
def test_a_wrong_value_is_named_with_what_to_set_and_breaks_no_other_check(settings, name, value):
    setattr(settings, name, value)
    said = found()[BY_NAME[name]]
    assert name in said.msg
    assert said.hint.startswith(f"Set {name} to ")
    assert not ("SECRET" in name and isinstance(value, str) and value in said.msg)


def test_no_setting_at_all_is_as_good_as_its_default(settings):
    for name in BY_NAME:
        if hasattr(settings, name):
            delattr(settings, name)
    assert not {row.check_id for row in values.TABLE} & found().keys()
    assert all(row.kind.is_right(documented()[row.name][0]) for row in values.TABLE)


@pytest.mark.parametrize(
    "invoice",
    [{}, {"footer": "Thanks"}, {"memo": "x" * 500, "custom_fields": [{"name": "x" * 40, "value": "y" * 140}]}],
)
def test_what_stripe_takes_on_an_invoice_passes(invoice):
    assert kinds.INVOICE.is_right(invoice)


def test_pages_of_a_front_end_pass_with_a_query_of_their_own():
    assert kinds.PAGES.is_right({"return": "https://app.example.com/?page=paid", "account": "http://127.0.0.1:3000/me"})


def test_a_setting_that_is_none_of_ours_is_named(settings):
    settings.BILLING_GRACEDAYS = 5
    assert "BILLING_GRACEDAYS" in found()["billing.W004"].msg


def test_of_a_path_that_leads_nowhere_it_says_why(settings):
    settings.BILLING_SEATS = "nowhere.seats"
    (error,) = next(check for check in values.CHECKS if check.id == "billing.E134")()
    assert "No module named 'nowhere'" in error.msg

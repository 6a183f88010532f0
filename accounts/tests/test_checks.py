"""The settings of accounts are checked at start-up."""

import pytest

from accounts.checks import check_settings
from accounts.conf import conf
from billing.tests.mailing import send_by


def ids():
    return [error.id for error in check_settings(None)]


@pytest.mark.parametrize("days", [-1, 36_501, "365", None, True, float("nan")])
def test_days_that_are_none_are_named(settings, days):
    settings.ACCOUNTS_TOKEN_DAYS = days
    assert ids() == ["accounts.E001"]


@pytest.mark.parametrize("days", [0, 0.5, 365, 36_500])
def test_days_that_are_some_pass(settings, days):
    settings.ACCOUNTS_TOKEN_DAYS = days
    assert ids() == []


@pytest.mark.parametrize("value", ["no", 1, None])
def test_whether_addresses_are_confirmed_is_yes_or_no(settings, value):
    settings.ACCOUNTS_CONFIRM_EMAIL = value
    assert ids() == ["accounts.E002"]


def test_left_out_they_are_safe(settings):
    del settings.ACCOUNTS_TOKEN_DAYS
    del settings.ACCOUNTS_CONFIRM_EMAIL
    assert ids() == []
    assert (conf.token_life.days, conf.confirms_email) == (365, True)


@pytest.mark.parametrize(
    ("is_debug", "confirms", "backend", "found"),
    [
        (False, True, "console", ["accounts.W001"]),
        (False, True, "dummy", ["accounts.W001"]),
        (False, True, "smtp", []),
        (False, False, "console", []),
        (True, True, "console", []),
    ],
)
def test_confirming_where_no_mail_leaves_is_warned_of(settings, is_debug, confirms, backend, found):
    settings.DEBUG, settings.ACCOUNTS_CONFIRM_EMAIL = is_debug, confirms
    send_by(settings, f"django.core.mail.backends.{backend}.EmailBackend")
    assert ids() == found

"""Some errors leave no doubt that nothing was sent; each is shown shortened and without addresses."""

import smtplib
import time

import pytest
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused

from billing import mailer
from billing.tests.mailing import send_by
from notifications.failures import MAX_TEXT, Outcome, describe, is_expected, outcome, without_addresses


def api_error(status):
    return AnymailAPIError("refused", status_code=status)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (api_error(429), Outcome.TRY_AGAIN),
        (api_error(401), Outcome.TRY_AGAIN),
        (api_error(500), Outcome.TRY_AGAIN),
        (api_error(503), Outcome.TRY_AGAIN),
        (api_error(400), Outcome.REFUSED),
        (api_error(413), Outcome.REFUSED),
        (api_error(504), Outcome.UNKNOWN),
        (api_error(202), Outcome.UNKNOWN),
        (api_error(None), Outcome.UNKNOWN),
        (AnymailRecipientsRefused(), Outcome.REFUSED),
        (ValueError("newline in subject"), Outcome.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no such user")}), Outcome.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (451, b"greylisted")}), Outcome.TRY_AGAIN),
        (smtplib.SMTPDataError(552, b"too large"), Outcome.REFUSED),
        (smtplib.SMTPServerDisconnected("lost"), Outcome.UNKNOWN),
        (ConnectionRefusedError(), Outcome.TRY_AGAIN),
        (ConnectionResetError(), Outcome.UNKNOWN),
        (TimeoutError(), Outcome.UNKNOWN),
        (KeyError("bug"), Outcome.UNKNOWN),
    ],
)
def test_what_an_error_says_about_the_mail(error, expected):
    assert outcome(error) is expected


@pytest.mark.parametrize(("error", "expected"), [(api_error(500), True), (TimeoutError(), True), (KeyError(), False)])
def test_the_worlds_failures_are_told_from_bugs(error, expected):
    assert is_expected(error) is expected


def test_no_credential_is_shown(settings):
    settings.ANYMAIL = {"SENDGRID_API_KEY": "plain-key-of-ours", "SENDGRID_API_URL": "https://api.example/v3/"}
    send_by(settings, mailer.SMTP, EMAIL_HOST_PASSWORD="smtp-password")
    said = "plain-key-of-ours, smtp-password, Authorization: Bearer abc.def, SG.x1-y2.z3 at https://api.example/v3/"
    text = describe(ValueError(said))
    for secret in ("plain-key-of-ours", "smtp-password", "abc.def", "SG.x1-y2.z3"):
        assert secret not in text
    assert "https://api.example/v3/" in text


def test_an_endless_error_is_cut():
    assert len(describe(ValueError("x" * 10_000))) == MAX_TEXT


@pytest.mark.parametrize("text", ["x" * 200_000, "a@" * 100_000, "x" * 200_000 + " ada@example.com"])
def test_addresses_leave_a_long_text_as_fast_as_it_is_long(text):
    """Had each character been the beginning of a new look, this would take minutes."""
    began = time.process_time()
    assert "@" not in without_addresses(text)
    assert time.process_time() - began < 2

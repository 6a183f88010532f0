"""This module reads an error of sending: was the mail surely not accepted, and is it worth another try?"""

import enum
import re
import smtplib
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError
from django.conf import settings
from requests import ConnectionError as RequestsConnectionError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from billing import mailer

MAX_TEXT = 1000
CREDENTIALS = re.compile(r"(?i)\b(bearer|basic)\s+\S+|\bSG\.[\w.-]+")
HIDDEN = "[hidden]"
# The first look back keeps a long text without "@" from being read once for each of its characters.
ADDRESS = re.compile(r"(?<![^\s<>()\"',;:\[\]{}])[^\s<>()\"',;:\[\]{}]+@[^\s<>()\"',;:\[\]{}]+")
SECRET_NAME = re.compile(r"KEY|SECRET|PASSWORD|TOKEN")
# Ours to correct (a wrong key, a rate limit) or the provider's; the mail itself may be all right.
WORTH_ANOTHER_TRY = frozenset({401, 403, 408, 425, 429})
GATEWAY_TIMEOUT = 504


class Outcome(enum.Enum):
    """An error can mean one of these three things for a mail."""

    TRY_AGAIN = "will be tried again"
    REFUSED = "refused"
    UNKNOWN = "may have been sent"


def is_expected(error: Exception) -> bool:
    """Return whether a mail server or provider caused the error. Any other error is a bug of ours and is raised, so
    that the queue shows its traceback."""
    return isinstance(error, AnymailError | OSError)


def outcome(error: Exception) -> Outcome:
    """Return what an error after the hand-over means. If the provider did not clearly refuse the mail, it may have been
    sent."""
    if isinstance(error, AnymailAPIError):
        return _of_api(error)
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    if isinstance(error, AnymailError | ValueError):
        return Outcome.REFUSED
    if isinstance(error, ConnectionRefusedError):
        return Outcome.TRY_AGAIN
    return Outcome.UNKNOWN


def describe(error: Exception) -> str:
    """Return the error as text for the outbox: cut to a length, without credentials and addresses."""
    text = f"{type(error).__name__}: {error}"
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    return without_addresses(CREDENTIALS.sub(HIDDEN, text))[:MAX_TEXT]


def without_addresses(said: str) -> str:
    """Return the text with e-mail addresses masked. The recipient has a column of its own, which is emptied when they
    leave."""
    return ADDRESS.sub("[address]", said)


def _of_api(error: AnymailAPIError) -> Outcome:
    status = error.status_code
    if status is None:
        return Outcome.TRY_AGAIN if _never_connected(error) else Outcome.UNKNOWN
    if status < 300 or status == GATEWAY_TIMEOUT:
        return Outcome.UNKNOWN
    return Outcome.TRY_AGAIN if status >= 500 or status in WORTH_ANOTHER_TRY else Outcome.REFUSED


def _never_connected(error: Exception) -> bool:
    cause = error.__cause__
    reason = cause.args[0] if isinstance(cause, RequestsConnectionError) and cause.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError | ConnectTimeoutError)


def _of_smtp(error: smtplib.SMTPException) -> Outcome:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    elif isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    else:
        return Outcome.UNKNOWN
    return Outcome.REFUSED if all(code >= 500 for code in codes) else Outcome.TRY_AGAIN


def _secrets() -> list[str]:
    """Return every credential in the mail settings."""
    anymail: dict[str, Any] = getattr(settings, "ANYMAIL", {})
    named = [value for name, value in anymail.items() if SECRET_NAME.search(name)]
    return [value for value in [*named, mailer.option("EMAIL_HOST_PASSWORD")] if isinstance(value, str) and value]

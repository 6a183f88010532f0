"""The host project tells whether a subscriber's e-mail address is confirmed."""

from typing import Any

from django.utils.module_loading import import_string

from billing.conf import conf


def elsewhere(subscriber: Any) -> bool:
    """Return True: BILLING_EMAIL_IS_CONFIRMED for a project in which nobody signs in before confirming the address."""
    return True


def is_asked() -> bool:
    """Return whether BILLING_EMAIL_IS_CONFIRMED is set, so that confirmed addresses are known."""
    return bool(conf.email_is_confirmed)


def is_unconfirmed(subscriber: Any) -> bool:
    """Return whether the project asks for confirmed addresses and this subscriber's is not confirmed."""
    return is_asked() and not import_string(conf.email_is_confirmed)(subscriber)

"""Whether an e-mail address is known to be the subscriber's own, as the host project says."""

from typing import Any

from django.utils.module_loading import import_string

from billing.conf import conf


def elsewhere(subscriber: Any) -> bool:
    """True for everybody: BILLING_EMAIL_IS_CONFIRMED of a project that lets nobody in before their address is
    confirmed."""
    return True


def is_asked() -> bool:
    """False where nothing here knows whether an address was confirmed."""
    return bool(conf.email_is_confirmed)


def is_unconfirmed(subscriber: Any) -> bool:
    """True where the project asks for confirmed addresses and this one is not."""
    return is_asked() and not import_string(conf.email_is_confirmed)(subscriber)

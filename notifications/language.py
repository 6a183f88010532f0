"""This module chooses the language of a mail. We choose it when the mail is reserved, since the subscriber may be gone
when it is sent."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import get_supported_language_variant

from billing.models import Customer

from .conf import conf


def language_of(customer: Customer | None, subscriber: Any = None) -> str:
    """Return the first of these that is one of LANGUAGES: what NOTIFICATIONS_LANGUAGE_OF returns for the subscriber,
    their attribute `language`, the locale that Stripe has of its customer; else LANGUAGE_CODE."""
    subscriber = subscriber or (customer.subscriber if customer else None)
    asked = import_string(conf.language_of)(subscriber) if conf.language_of and subscriber else ""
    known = (asked, getattr(subscriber, "language", ""), customer.preferred_locale if customer else "")
    return next(filter(None, map(_supported, known)), settings.LANGUAGE_CODE)


def _supported(code: str | None) -> str:
    """Return the supported language for a code, or an empty string: de-AT gives de where there is no Austrian."""
    if not code:
        return ""
    try:
        return get_supported_language_variant(code.lower().replace("_", "-"))
    except LookupError:
        return ""

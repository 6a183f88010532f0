"""The admin says what caused a change: an event links to its page, a member of staff is shown by name."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString

from billing.models import StripeEvent

from . import display

STAFF, EVENT = "staff:", "evt_"
WORDS = {
    "sync": "found by the sync",
    "return page": "buyer returned from Checkout",
    "subscriber": "requested by the subscriber",
    "grace lapsed": "grace ended",
    "grant lapsed": "expired",
    "deletion": "account deleted",
    "calendar": "date reached",
    "price move": "moved to another price",
    "agreement": "agreement sent",
    "seats": "seat count changed",
    "members": "member joined or left",
    "details": "subscriber's details changed",
}


def _is_key(text: str) -> bool:
    """Return whether the text can be a key of a user: a host project may write any text after `staff:`."""
    try:
        get_user_model()._meta.pk.to_python(text)
    except ValidationError:
        return False
    return True


class Causes:
    """Look up all causes of a page together: the names of staff, and the types of events."""

    def __init__(self, causes: Iterable[str], *, can_view_events: bool) -> None:
        known = set(causes)
        keys = [cause.removeprefix(STAFF) for cause in known if cause.startswith(STAFF)]
        events = {cause for cause in known if cause.startswith(EVENT)}
        model: Any = get_user_model()
        self._names = {str(user.pk): str(user) for user in model._default_manager.filter(pk__in=filter(_is_key, keys))}
        self._types = dict(StripeEvent.objects.filter(pk__in=events).values_list("pk", "type"))
        self._can_view_events = can_view_events

    def said(self, cause: str) -> str | SafeString:
        if cause.startswith(STAFF):
            return self._names.get(cause.removeprefix(STAFF), "staff")
        if cause.startswith(EVENT):
            return self._event(cause)
        return WORDS.get(cause, cause)

    def _event(self, event_id: str) -> str | SafeString:
        words = self._types.get(event_id, "an event")
        return display.row_link("stripeevent", event_id, display.breakable(words)) if self._can_view_events else words


def words_for(cause: str) -> str | SafeString:
    """Return the words for the cause of a single row, on its own page."""
    return Causes([cause], can_view_events=True).said(cause)

"""What caused something, as the admin says it: an event leads to its page, a member of staff is called by name."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString

from billing.models import StripeEvent

from . import display

STAFF, EVENT = "staff:", "evt_"
WORDS = {
    "sync": "the sync found it",
    "return page": "the buyer came back from Checkout",
    "subscriber": "the subscriber asked for it",
    "grace lapsed": "grace ended by the clock",
    "comp lapsed": "it ran out",
    "deletion": "the account was deleted",
    "calendar": "the calendar",
    "seats": "seats were counted",
    "members": "a member joined or left",
    "details": "the subscriber's details changed",
}


def _is_key(text: str) -> bool:
    """A host project may say `staff:` of whom it likes."""
    try:
        get_user_model()._meta.pk.to_python(text)
    except ValidationError:
        return False
    return True


class Causes:
    """Of a page's rows: names of staff and types of events are each looked up together."""

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


def one(cause: str) -> str | SafeString:
    """Of a single row, on its own page."""
    return Causes([cause], can_view_events=True).said(cause)

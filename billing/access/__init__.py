"""Who has access to what they paid for, why, and since when; and the gate a host project puts before its views."""

from .explanation import Explanation, explain, explain_customer
from .gates import access_required
from .history import record_change
from .rules import NO_SUBSCRIBER, NO_SUBSCRIPTION, Access, decide, grace_end, has_access, of, with_holds

__all__ = [
    "NO_SUBSCRIBER",
    "NO_SUBSCRIPTION",
    "Access",
    "Explanation",
    "access_required",
    "decide",
    "explain",
    "explain_customer",
    "grace_end",
    "has_access",
    "of",
    "record_change",
    "with_holds",
]

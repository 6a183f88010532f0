"""Who has access to what they paid for, why, and since when; and the gate a host project puts before its views."""

from . import payer, words
from .explanation import Explanation, explain, explain_customer
from .gates import NEEDS_ACCESS, access_required
from .history import record_change
from .rules import NO_SUBSCRIBER, NO_SUBSCRIPTION, Access, decide, grace_end, has_access, of, with_holds
from .words import moment

__all__ = [
    "NEEDS_ACCESS",
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
    "moment",
    "of",
    "payer",
    "record_change",
    "with_holds",
    "words",
]

"""This room decides who has access, explains why, and guards the views of a host project."""

from . import payer, words
from .explanation import Explanation, explain, explain_customer
from .facts import AccessFacts, facts_of, with_access_facts
from .gates import NEEDS_ACCESS, access_required
from .lasting import access_ends_at, ends_with_trial
from .rules import (
    NO_SUBSCRIBER,
    NO_SUBSCRIPTION,
    Access,
    access_in,
    decide,
    grace_end,
    has_access,
    line_meant,
    lines_of,
    lines_of_all,
    lines_of_customer,
    of,
    of_customer,
    withheld,
)
from .words import moment

__all__ = [
    "NEEDS_ACCESS",
    "NO_SUBSCRIBER",
    "NO_SUBSCRIPTION",
    "Access",
    "AccessFacts",
    "Explanation",
    "access_ends_at",
    "access_in",
    "access_required",
    "decide",
    "ends_with_trial",
    "explain",
    "explain_customer",
    "facts_of",
    "grace_end",
    "has_access",
    "line_meant",
    "lines_of",
    "lines_of_all",
    "lines_of_customer",
    "moment",
    "of",
    "of_customer",
    "payer",
    "with_access_facts",
    "withheld",
    "words",
]

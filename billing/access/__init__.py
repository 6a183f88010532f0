"""This room decides who has access, explains why, and guards the views of a host project."""

from . import payer, words
from .explanation import Explanation, explain, explain_customer
from .gates import NEEDS_ACCESS, access_required
from .rules import (
    NO_SUBSCRIBER,
    NO_SUBSCRIPTION,
    Access,
    AccessFacts,
    access_in,
    decide,
    facts_of,
    grace_end,
    has_access,
    line_meant,
    lines_of,
    lines_of_customer,
    of,
    of_customer,
    with_access_facts,
)
from .words import moment

__all__ = [
    "NEEDS_ACCESS",
    "NO_SUBSCRIBER",
    "NO_SUBSCRIPTION",
    "Access",
    "AccessFacts",
    "Explanation",
    "access_in",
    "access_required",
    "decide",
    "explain",
    "explain_customer",
    "facts_of",
    "grace_end",
    "has_access",
    "line_meant",
    "lines_of",
    "lines_of_customer",
    "moment",
    "of",
    "of_customer",
    "payer",
    "with_access_facts",
    "words",
]

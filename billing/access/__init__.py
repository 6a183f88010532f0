"""Who has access to what they paid for, why, and since when; and the gates a host project puts before its views."""

from .rules import NO_SUBSCRIPTION, Access, decide, grace_end, has_access, of, with_holds

__all__ = [
    "NO_SUBSCRIPTION",
    "Access",
    "decide",
    "grace_end",
    "has_access",
    "of",
    "with_holds",
]

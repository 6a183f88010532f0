"""The deletion of an account ends every subscription at Stripe, then removes what is personal.

Host projects call `begin` and `deletion_of`; the worker calls the rest.
"""

from .process import begin, deletion_of, due_lanes, owed_deletions, postpone, proceed, try_now

__all__ = ["begin", "deletion_of", "due_lanes", "owed_deletions", "postpone", "proceed", "try_now"]

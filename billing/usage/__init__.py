"""This room counts the use of a feature, and blocks use above the month's limit and the credits, exactly in parallel.

`consume` counts, `release` gives back what a key counted; `reserve`, then `commit`, is for work whose size is known at
its end. `summary` tells how use stands. `override_limit` gives one subscriber a limit of their own.
"""

from . import credit_reminders, crediting, kept, overriding, rollover
from .allowances import Allowance, allowance, announce_overflow, free_plan_in, summary
from .counting import commit, consume, release, release_lapsed, reserve
from .crediting import CreditRefused, TakenBack
from .metered import metered
from .months import month_of, month_start
from .overriding import LimitRefused, lift_override, override_limit
from .quotas import KeyReused, NoAccess, Quota, QuotaExceeded, ReservationOver, UnknownKey

__all__ = [
    "Allowance",
    "CreditRefused",
    "KeyReused",
    "LimitRefused",
    "NoAccess",
    "Quota",
    "QuotaExceeded",
    "ReservationOver",
    "TakenBack",
    "UnknownKey",
    "allowance",
    "announce_overflow",
    "commit",
    "consume",
    "credit_reminders",
    "crediting",
    "free_plan_in",
    "kept",
    "lift_override",
    "metered",
    "month_of",
    "month_start",
    "override_limit",
    "overriding",
    "release",
    "release_lapsed",
    "reserve",
    "rollover",
    "summary",
]

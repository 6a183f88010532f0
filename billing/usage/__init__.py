"""This room counts the use of a feature, and blocks use above the month's limit and the credits, exactly in parallel.

`consume` counts, `release` gives back what a key counted; `reserve`, then `commit`, is for work whose size is known at
its end. `summary` tells how use stands. `override_limit` gives one subscriber a limit of their own.
"""

from . import capping, credit_reminders, crediting, doubts, kept, meter_errors, overage, overriding, reporting, rollover
from .allowances import Allowance, allowance, announce_overflow, free_plan_in, summary
from .capping import CapRefused
from .counting import commit, consume, release, release_lapsed, reserve
from .crediting import CreditRefused, TakenBack
from .metered import metered
from .months import month_of, month_start
from .overriding import LimitRefused, lift_override, override_limit
from .quotas import (
    KeyReused,
    NoAccess,
    NotPaidByUse,
    Quota,
    QuotaExceeded,
    ReservationOver,
    SpendCapReached,
    UnknownKey,
)
from .running import each_minute
from .spending import Spending, spending_of

__all__ = [
    "Allowance",
    "CapRefused",
    "CreditRefused",
    "KeyReused",
    "LimitRefused",
    "NoAccess",
    "NotPaidByUse",
    "Quota",
    "QuotaExceeded",
    "ReservationOver",
    "SpendCapReached",
    "Spending",
    "TakenBack",
    "UnknownKey",
    "allowance",
    "announce_overflow",
    "capping",
    "commit",
    "consume",
    "credit_reminders",
    "crediting",
    "doubts",
    "each_minute",
    "free_plan_in",
    "kept",
    "lift_override",
    "meter_errors",
    "metered",
    "month_of",
    "month_start",
    "overage",
    "override_limit",
    "overriding",
    "release",
    "release_lapsed",
    "reporting",
    "reserve",
    "rollover",
    "spending_of",
    "summary",
]

"""This room counts the use of a feature, and blocks use above the month's limit and the credits, exactly in parallel.

`consume` counts, `release` gives back what a key counted; `reserve`, then `commit`, is for work whose size is known at
its end. `summary` tells how use stands.
"""

from . import capping, crediting, doubts, meter_errors, overage, reporting
from .allowances import Allowance, allowance, announce_overflow, free_plan_in, summary
from .capping import CapRefused
from .counting import commit, consume, release, release_lapsed, reserve
from .crediting import CreditRefused, TakenBack
from .metered import metered
from .months import month_of, month_start
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
    "crediting",
    "doubts",
    "each_minute",
    "free_plan_in",
    "meter_errors",
    "metered",
    "month_of",
    "month_start",
    "overage",
    "release",
    "release_lapsed",
    "reporting",
    "reserve",
    "spending_of",
    "summary",
]

"""Staff see each part of billing in one module here; `third_party` has the admins of the apps that billing uses."""

from . import (
    alerts,
    balance,
    catalogue,
    customers,
    dashboard,
    deletions,
    display,
    events,
    first_page,
    grants,
    lanes,
    mail_rows,
    mirror_failures,
    payments,
    revenue,
    subscriptions,
    sync,
    third_party,
    usage,
)
from .lookups import OwnColumnsOnly
from .readonly import ReadOnlyAdmin

__all__ = [
    "OwnColumnsOnly",
    "ReadOnlyAdmin",
    "alerts",
    "balance",
    "catalogue",
    "customers",
    "dashboard",
    "deletions",
    "display",
    "events",
    "first_page",
    "grants",
    "lanes",
    "mail_rows",
    "mirror_failures",
    "payments",
    "revenue",
    "subscriptions",
    "sync",
    "third_party",
    "usage",
]

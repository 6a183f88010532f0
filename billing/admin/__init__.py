"""What staff sees: one module for each part of billing, and `third_party` for the admins of the apps it stands on."""

from . import (
    alerts,
    catalogue,
    customers,
    dashboard,
    deletions,
    display,
    events,
    first_page,
    lanes,
    mail_rows,
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
    "catalogue",
    "customers",
    "dashboard",
    "deletions",
    "display",
    "events",
    "first_page",
    "lanes",
    "mail_rows",
    "payments",
    "revenue",
    "subscriptions",
    "sync",
    "third_party",
    "usage",
]

"""What staff sees: one module for each part of billing, and `third_party` for the admins of the apps it stands on."""

from . import (
    alerts,
    catalogue,
    customers,
    dashboard,
    deletions,
    events,
    first_page,
    lanes,
    payments,
    revenue,
    subscriptions,
    sync,
    third_party,
    usage,
)

__all__ = [
    "alerts",
    "catalogue",
    "customers",
    "dashboard",
    "deletions",
    "events",
    "first_page",
    "lanes",
    "payments",
    "revenue",
    "subscriptions",
    "sync",
    "third_party",
    "usage",
]

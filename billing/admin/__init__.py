"""What staff sees: one module for each part of billing, and `third_party` for the admins of the apps it stands on."""

from . import catalogue, customers, deletions, events, lanes, payments, subscriptions, sync, third_party, usage

__all__ = [
    "catalogue",
    "customers",
    "deletions",
    "events",
    "lanes",
    "payments",
    "subscriptions",
    "sync",
    "third_party",
    "usage",
]

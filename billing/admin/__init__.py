"""What staff sees: one module for each part of billing, and `third_party` for the admins of the apps it stands on."""

from . import catalogue, customers, events, lanes, payments, subscriptions, third_party, usage

__all__ = ["catalogue", "customers", "events", "lanes", "payments", "subscriptions", "third_party", "usage"]

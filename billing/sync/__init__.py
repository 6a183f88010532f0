"""Kept in sync with Stripe: events we missed, objects that drifted, and the report of both."""

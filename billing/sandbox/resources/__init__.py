"""The API's resources, one module per family: the router of this package knows all of their routes."""

from ..routing import api
from . import (
    account,
    catalogue,
    changes,
    charges,
    checkout,
    coupons,
    customers,
    drafts,
    entitlements,
    events,
    invoice_items,
    invoices,
    pausing,
    payment_intents,
    payment_methods,
    portal,
    previews,
    schedules,
    subscription_items,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)

FAMILIES = (
    account,
    catalogue,
    changes,
    charges,
    checkout,
    coupons,
    customers,
    drafts,
    entitlements,
    events,
    invoice_items,
    invoices,
    pausing,
    payment_intents,
    payment_methods,
    portal,
    previews,
    schedules,
    subscription_items,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)

__all__ = ["FAMILIES", "api"]

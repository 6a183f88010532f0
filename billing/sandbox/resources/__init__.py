"""The API's resources, one module per family; importing this registers their routes."""

from . import (
    account,
    catalogue,
    changes,
    charges,
    checkout,
    customers,
    events,
    invoices,
    payment_intents,
    payment_methods,
    portal,
    subscriptions,
    webhook_endpoints,
)

registered = (
    account,
    catalogue,
    changes,
    charges,
    checkout,
    customers,
    events,
    invoices,
    payment_intents,
    payment_methods,
    portal,
    subscriptions,
    webhook_endpoints,
)

"""This room defines the tables of `billing`, for every other room and for host projects."""

from .alerts import Alert
from .catalogue import Plan, PlanLimit, Price
from .comp import Comp
from .dashboard import Dashboard
from .deletion import AccountDeletion
from .history import MrrMovement, SubscriptionChange
from .invoices import Invoice
from .ledger import Lane, StripeEvent, StripeEventQuerySet, StripeWrite
from .metrics import StripeCalls
from .payments import Dispute, InvoicePayment, Payment, PaymentFailure, Refund
from .subscriber import email_field
from .subscription import CheckoutAttempt, Customer, Hold, PlanChange, Subscription
from .sync import SyncRun
from .usage import Usage

__all__ = [
    "AccountDeletion",
    "Alert",
    "CheckoutAttempt",
    "Comp",
    "Customer",
    "Dashboard",
    "Dispute",
    "Hold",
    "Invoice",
    "InvoicePayment",
    "Lane",
    "MrrMovement",
    "Payment",
    "PaymentFailure",
    "Plan",
    "PlanChange",
    "PlanLimit",
    "Price",
    "Refund",
    "StripeCalls",
    "StripeEvent",
    "StripeEventQuerySet",
    "StripeWrite",
    "Subscription",
    "SubscriptionChange",
    "SyncRun",
    "Usage",
    "email_field",
]

from .alerts import Alert
from .catalogue import Plan, PlanLimit, Price
from .deletion import AccountDeletion
from .history import SubscriptionChange
from .ledger import Lane, StripeEvent, StripeWrite
from .metrics import StripeCalls
from .payments import Dispute, InvoicePayment, Payment, PaymentFailure, Refund
from .subscription import CheckoutAttempt, Customer, Hold, PlanChange, Subscription
from .sync import SyncRun
from .usage import Usage

__all__ = [
    "AccountDeletion",
    "Alert",
    "CheckoutAttempt",
    "Customer",
    "Dispute",
    "Hold",
    "InvoicePayment",
    "Lane",
    "Payment",
    "PaymentFailure",
    "Plan",
    "PlanChange",
    "PlanLimit",
    "Price",
    "Refund",
    "StripeCalls",
    "StripeEvent",
    "StripeWrite",
    "Subscription",
    "SubscriptionChange",
    "SyncRun",
    "Usage",
]

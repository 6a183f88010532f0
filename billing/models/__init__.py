from .catalogue import Plan, PlanLimit, Price
from .ledger import Lane, StripeEvent, StripeWrite
from .payments import Dispute, InvoicePayment, Payment, PaymentFailure, Refund
from .subscription import CheckoutAttempt, Customer, Hold, Subscription
from .sync import SyncRun
from .usage import Usage

__all__ = [
    "CheckoutAttempt",
    "Customer",
    "Dispute",
    "Hold",
    "InvoicePayment",
    "Lane",
    "Payment",
    "PaymentFailure",
    "Plan",
    "PlanLimit",
    "Price",
    "Refund",
    "StripeEvent",
    "StripeWrite",
    "Subscription",
    "SyncRun",
    "Usage",
]

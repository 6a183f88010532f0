"""This room defines the tables of `billing`, for every other room and for host projects."""

from .alerts import Alert
from .books import BalanceTransaction, CreditNote, TaxRate
from .buying import CheckoutAttempt, PlanChange
from .catalogue import MAIN_LINE, Plan, PlanLimit, Price
from .dashboard import Dashboard
from .deletion import AccountDeletion
from .discounts import CancelOffer, Discount
from .grant import Grant
from .history import AnnouncedAccess, MrrMovement, SubscriptionChange
from .invoices import Invoice
from .items import SubscriptionItem
from .ledger import Lane, StripeEvent, StripeEventQuerySet, StripeWrite
from .metrics import StripeCalls
from .mirror import MirrorFailure
from .next_charge import NextCharge
from .payments import Dispute, InvoicePayment, Payment, PaymentFailure, Refund
from .scheduled import ScheduledTask
from .stripe_key import StripeKey
from .subscriber import email_field
from .subscription import Customer, Hold, Subscription
from .sync import SyncRun
from .usage import Usage

__all__ = [
    "MAIN_LINE",
    "AccountDeletion",
    "Alert",
    "AnnouncedAccess",
    "BalanceTransaction",
    "CancelOffer",
    "CheckoutAttempt",
    "CreditNote",
    "Customer",
    "Dashboard",
    "Discount",
    "Dispute",
    "Grant",
    "Hold",
    "Invoice",
    "InvoicePayment",
    "Lane",
    "MirrorFailure",
    "MrrMovement",
    "NextCharge",
    "Payment",
    "PaymentFailure",
    "Plan",
    "PlanChange",
    "PlanLimit",
    "Price",
    "Refund",
    "ScheduledTask",
    "StripeCalls",
    "StripeEvent",
    "StripeEventQuerySet",
    "StripeKey",
    "StripeWrite",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionItem",
    "SyncRun",
    "TaxRate",
    "Usage",
    "email_field",
]

"""This room defines the tables of `billing`, for every other room and for host projects."""

from .access_change import AccessChange
from .add_on import AddOn, AddOnPrice
from .agreement import Agreement
from .alerts import Alert
from .books import BalanceTransaction, CreditNote, TaxRate
from .buying import CheckoutAttempt, PlanChange
from .catalogue import LONGEST_TRIAL, MAIN_LINE, TRIAL_TOO_LONG, Plan, PlanLimit, Price
from .code import Code, Redemption
from .compiled import Compiled, Hole
from .dashboard import Dashboard
from .deletion import AccountDeletion
from .discounts import CancelOffer, Discount
from .grant import Grant
from .history import AnnouncedAccess, MrrMovement, SubscriptionChange
from .home import Home
from .invoices import Invoice
from .items import SubscriptionItem
from .ledger import Lane, StripeEvent, StripeEventQuerySet, StripeWrite
from .limit_override import LimitOverride
from .metrics import StripeCalls
from .mirror import MirrorFailure
from .next_charge import NextCharge
from .overage import OveragePrice, SpendCap, UsageReport
from .payments import Dispute, InvoicePayment, Payment, PaymentFailure, Refund
from .price_moves import PriceMove, PriceMoveRow
from .purchase import Pack, Purchase
from .row_pages import in_pages
from .scheduled import ScheduledTask
from .staff import DigestReader, SavedList
from .stripe_key import StripeKey
from .subscriber import all_subscribers, email_field, listed_subscribers
from .subscription import Customer, Hold, Subscription
from .sync import SyncRun
from .tax_id import TaxId
from .trial import Trial
from .usage import Credit, KeyedUse, Usage

__all__ = [
    "LONGEST_TRIAL",
    "MAIN_LINE",
    "TRIAL_TOO_LONG",
    "AccessChange",
    "AccountDeletion",
    "AddOn",
    "AddOnPrice",
    "Agreement",
    "Alert",
    "AnnouncedAccess",
    "BalanceTransaction",
    "CancelOffer",
    "CheckoutAttempt",
    "Code",
    "Compiled",
    "Credit",
    "CreditNote",
    "Customer",
    "Dashboard",
    "DigestReader",
    "Discount",
    "Dispute",
    "Grant",
    "Hold",
    "Hole",
    "Home",
    "Invoice",
    "InvoicePayment",
    "KeyedUse",
    "Lane",
    "LimitOverride",
    "MirrorFailure",
    "MrrMovement",
    "NextCharge",
    "OveragePrice",
    "Pack",
    "Payment",
    "PaymentFailure",
    "Plan",
    "PlanChange",
    "PlanLimit",
    "Price",
    "PriceMove",
    "PriceMoveRow",
    "Purchase",
    "Redemption",
    "Refund",
    "SavedList",
    "ScheduledTask",
    "SpendCap",
    "StripeCalls",
    "StripeEvent",
    "StripeEventQuerySet",
    "StripeKey",
    "StripeWrite",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionItem",
    "SyncRun",
    "TaxId",
    "TaxRate",
    "Trial",
    "Usage",
    "UsageReport",
    "all_subscribers",
    "email_field",
    "in_pages",
    "listed_subscribers",
]

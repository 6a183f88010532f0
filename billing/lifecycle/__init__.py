"""This room does what a subscriber, or a member of staff, asks for: checkout, change, cancel, portal, deletion."""

from . import (
    agreements,
    attempts,
    cancel,
    change,
    checkout,
    deletion,
    invoice_links,
    invoices,
    overview,
    owed,
    portal,
    previews,
    refusals,
    set_seats,
    update_customer,
)
from .cancel import Outlook
from .change_rules import Effect
from .customers import METADATA_KEY
from .invoices import MOST, PAGE
from .outages import OUTAGES, outage_of
from .overview import Overview
from .owed import Owed
from .refusals import (
    AccountClosing,
    EmailUnconfirmed,
    EndsNow,
    NoSubscription,
    NotConfirmed,
    PaymentDeclined,
    Refused,
    StalePreview,
)

__all__ = [
    "METADATA_KEY",
    "MOST",
    "OUTAGES",
    "PAGE",
    "AccountClosing",
    "Effect",
    "EmailUnconfirmed",
    "EndsNow",
    "NoSubscription",
    "NotConfirmed",
    "Outlook",
    "Overview",
    "Owed",
    "PaymentDeclined",
    "Refused",
    "StalePreview",
    "agreements",
    "attempts",
    "cancel",
    "change",
    "checkout",
    "deletion",
    "invoice_links",
    "invoices",
    "outage_of",
    "overview",
    "owed",
    "portal",
    "previews",
    "refusals",
    "set_seats",
    "update_customer",
]

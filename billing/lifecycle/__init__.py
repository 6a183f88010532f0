"""This room does what a subscriber, or a member of staff, asks for: checkout, change, cancel, portal, deletion."""

from . import (
    attempts,
    cancel,
    change,
    checkout,
    codes,
    deletion,
    discounting,
    invoice_links,
    invoices,
    live_subscription,
    offers,
    overview,
    owed,
    pausing,
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
    CodeRefused,
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
    "CodeRefused",
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
    "attempts",
    "cancel",
    "change",
    "checkout",
    "codes",
    "deletion",
    "discounting",
    "invoice_links",
    "invoices",
    "live_subscription",
    "offers",
    "outage_of",
    "overview",
    "owed",
    "pausing",
    "portal",
    "previews",
    "refusals",
    "set_seats",
    "update_customer",
]

"""This room records the facts about money: invoices, payments, failures, refunds and disputes."""

from . import disputes, due, giving_back, nothing, notices, purchases, refunds
from .addresses import TAXED_BY, resume_tax
from .invoices import (
    fetch_invoice_of,
    record_anew,
    record_failure,
    record_invoice,
    record_links,
    record_missed_invoice,
    record_payment,
    record_processing,
)
from .links import OF_ANOTHER_PRODUCT, link_of
from .sums import UNDONE

__all__ = [
    "OF_ANOTHER_PRODUCT",
    "TAXED_BY",
    "UNDONE",
    "disputes",
    "due",
    "fetch_invoice_of",
    "giving_back",
    "link_of",
    "nothing",
    "notices",
    "purchases",
    "record_anew",
    "record_failure",
    "record_invoice",
    "record_links",
    "record_missed_invoice",
    "record_payment",
    "record_processing",
    "refunds",
    "resume_tax",
]

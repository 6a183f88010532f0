"""This room records the facts about money: payments, failures, refunds and disputes."""

from . import disputes, notices, refunds
from .invoices import link_of, record_failure, record_links, record_payment
from .refunds import UNDONE

__all__ = ["UNDONE", "disputes", "link_of", "notices", "record_failure", "record_links", "record_payment", "refunds"]

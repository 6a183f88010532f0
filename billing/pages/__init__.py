"""This room serves the HTML pages that a subscriber sees."""

from . import account, add_ons, buying, guests, invoice_links, managing, own_data, packs, redeeming, spending, staying
from .trouble import too_often

__all__ = [
    "account",
    "add_ons",
    "buying",
    "guests",
    "invoice_links",
    "managing",
    "own_data",
    "packs",
    "redeeming",
    "spending",
    "staying",
    "too_often",
]

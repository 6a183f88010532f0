"""The HTML pages of a subscriber."""

from . import buying, invoice_links, managing
from .price_list import sold_in

__all__ = ["buying", "invoice_links", "managing", "sold_in"]

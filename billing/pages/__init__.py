"""The HTML pages of a subscriber."""

from . import account, buying, invoice_links, managing

__all__ = ["account", "buying", "invoice_links", "managing"]

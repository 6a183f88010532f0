"""`from billing.decorators import access_required`, where a Django project looks for a decorator."""

from billing.access import access_required

__all__ = ["access_required"]

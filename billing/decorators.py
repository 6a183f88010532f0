"""A Django project looks for decorators here: `from billing.decorators import access_required`."""

from billing.access import access_required

__all__ = ["access_required"]

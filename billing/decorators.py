"""A Django project looks for decorators here: `from billing.decorators import access_required, metered`."""

from billing.access import access_required
from billing.usage import metered

__all__ = ["access_required", "metered"]

"""The export of a subscriber's own data contains which mails were sent to them, and when."""

from typing import Any

from .models import Mail


def mails_of(subscriber: Any) -> list[dict[str, Any]]:
    """Return the mails of a subscriber, the oldest first."""
    mails = Mail.objects.filter(customer__subscriber=subscriber).order_by("created_at", "pk")
    return [{**row} for row in mails.values("kind", "recipient", "language", "status", "created_at", "sent_at")]

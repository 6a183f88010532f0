"""This module keeps the addresses that we do not mail any more. A customer with another address is mailed there as
before."""

from datetime import datetime

from django.utils import timezone

from .models import Mail, Suppression

NOT_MAILED = {
    Suppression.Reason.BOUNCED: "Mail to this address bounced. We do not mail it until staff allow it.",
    Suppression.Reason.COMPLAINED: "Our mail was reported as spam. We do not mail this address until staff allow it.",
    Suppression.Reason.REJECTED: "The mail provider refuses this address. We do not mail it until staff allow it.",
}


def reason(address: str) -> str:
    """Return why we do not mail this address, or an empty string."""
    found = Suppression.objects.active().filter(pk=address.lower()).first()
    return NOT_MAILED[Suppression.Reason(found.reason)] if found else ""


def suppress(mail: Mail, why: Suppression.Reason, detail: str, at: datetime) -> None:
    """Suppress the address of `mail`, unless staff have lifted that since. A complaint outweighs a bounce."""
    known = Suppression.objects.filter(pk=mail.recipient.lower()).first()
    if known and (known.lifted_at is None or at <= known.lifted_at) and not _outweighs(why, known):
        return
    row = Suppression(address=mail.recipient.lower(), reason=why, detail=detail, mail=mail, suppressed_at=at)
    fields = ["reason", "detail", "mail", "suppressed_at", "lifted_at"]
    Suppression.objects.bulk_create([row], update_conflicts=True, unique_fields=["address"], update_fields=fields)


def lift(found: Suppression) -> bool:
    """Let the address be mailed again; return whether it was suppressed until now."""
    return bool(Suppression.objects.active().filter(pk=found.pk).update(lifted_at=timezone.now()))


def _outweighs(why: Suppression.Reason, known: Suppression) -> bool:
    is_complaint = why == Suppression.Reason.COMPLAINED and known.reason != why
    return is_complaint and known.lifted_at is None

"""Addresses that are not mailed again. A customer who has another address is mailed there as ever."""

from datetime import datetime

from django.utils import timezone

from .models import Mail, Suppression

NOT_MAILED = {
    Suppression.Reason.BOUNCED: "Mail to this address came back: it is not mailed until staff lift that.",
    Suppression.Reason.COMPLAINED: "Our mail was reported as spam here: it is not mailed until staff lift that.",
    Suppression.Reason.REJECTED: "The provider does not send to this address: it is not mailed until staff lift that.",
}


def reason(address: str) -> str:
    """Why nothing is mailed there, or nothing."""
    found = Suppression.objects.active().filter(pk=address.lower()).first()
    return NOT_MAILED[Suppression.Reason(found.reason)] if found else ""


def suppress(mail: Mail, why: Suppression.Reason, detail: str, at: datetime) -> None:
    """The address of `mail`, unless staff have lifted that since; a complaint outweighs a bounce."""
    known = Suppression.objects.filter(pk=mail.recipient.lower()).first()
    if known and (known.lifted_at is None or at <= known.lifted_at) and not _outweighs(why, known):
        return
    row = Suppression(address=mail.recipient.lower(), reason=why, detail=detail, mail=mail, suppressed_at=at)
    fields = ["reason", "detail", "mail", "suppressed_at", "lifted_at"]
    Suppression.objects.bulk_create([row], update_conflicts=True, unique_fields=["address"], update_fields=fields)


def lift(found: Suppression) -> bool:
    """Whether it was in force until now."""
    return bool(Suppression.objects.active().filter(pk=found.pk).update(lifted_at=timezone.now()))


def _outweighs(why: Suppression.Reason, known: Suppression) -> bool:
    is_complaint = why == Suppression.Reason.COMPLAINED and known.reason != why
    return is_complaint and known.lifted_at is None

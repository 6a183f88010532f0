"""This module records what the provider reports of a mail after accepting it, in any order and more than once.

A state only gives way to a worse one, by one conditional UPDATE, so every order of reports ends in the same state. A
report counts only for the sending that it names: by its Message-ID, else by the provider's id.
"""

from datetime import datetime
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from . import failures, redaction, suppression
from .models import Mail, Suppression

Status, Reason = Mail.Status, Suppression.Reason

# Each state, and those it may take the place of.
HANDED_OVER = (Status.SENDING, Status.SENT, Status.UNCONFIRMED)
MAY_FOLLOW = {
    Status.DELIVERED: HANDED_OVER,
    Status.BOUNCED: (*HANDED_OVER, Status.DELIVERED),
    Status.COMPLAINED: (*HANDED_OVER, Status.DELIVERED, Status.BOUNCED),
}
BECAME = {
    EventType.DELIVERED: Status.DELIVERED,
    EventType.BOUNCED: Status.BOUNCED,
    EventType.REJECTED: Status.BOUNCED,
    EventType.FAILED: Status.BOUNCED,
    EventType.COMPLAINED: Status.COMPLAINED,
}
REFUSED_FOR_GOOD = (RejectReason.INVALID, RejectReason.BOUNCED, RejectReason.SPAM, RejectReason.UNSUBSCRIBED)
LONGEST = 1000


def on_tracking(sender: Any, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """Record a delivery, bounce or complaint. Other reports, such as opens and clicks, change nothing."""
    status = BECAME.get(event.event_type)
    mail = _mail_of(event).first() if status else None
    if status is None or mail is None:
        return
    at = min(event.timestamp or timezone.now(), timezone.now())
    _advance(mail, status, "" if status == Status.DELIVERED else _reported(event), at)
    reason = _reason_to_stop(event)
    if reason and mail.recipient and not redaction.has_left(mail):
        suppression.suppress(mail, reason, _reported(event), at)


def _mail_of(event: AnymailTrackingEvent) -> QuerySet[Mail]:
    """Return the mail that the report is about."""
    named = event.metadata or {}
    if "mail" in named and "message" in named:
        return Mail.objects.filter(key=named["mail"], message_id=named["message"])
    known = Mail.objects.exclude(provider_id="")
    return known.filter(provider_id=event.message_id) if event.message_id else known.none()


def _advance(mail: Mail, status: Mail.Status, said: str, at: datetime) -> None:
    """Write the reported state and clear the token, since it is better than what a worker waiting for the provider
    could write."""
    row = Mail.objects.filter(pk=mail.pk, message_id=mail.message_id, status__in=MAY_FOLLOW[status])
    sent_at = Coalesce("sent_at", at)
    if row.update(status=status, error=said, reported_at=at, sent_at=sent_at, token=None, leased_until=None):
        mail.status = status
        redaction.redact_sent(mail)


def _reason_to_stop(event: AnymailTrackingEvent) -> Suppression.Reason | None:
    """Return why this address is not mailed again, or None. A full or busy mailbox may take the next mail."""
    if event.event_type == EventType.COMPLAINED:
        return Reason.COMPLAINED
    if event.event_type == EventType.REJECTED and event.reject_reason in REFUSED_FOR_GOOD:
        return Reason.REJECTED
    return Reason.BOUNCED if event.event_type == EventType.BOUNCED and not _is_passing(event) else None


def _is_passing(event: AnymailTrackingEvent) -> bool:
    """Return whether the refusal may pass. SendGrid calls such a refusal `blocked`; for others the status code's class
    tells (RFC 3463)."""
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    is_temporary = str(raw.get("status") or event.mta_response or "").startswith("4")
    return raw.get("type") == "blocked" or is_temporary


def _reported(event: AnymailTrackingEvent) -> str:
    said = str(event.mta_response or event.description or event.reject_reason or event.event_type)
    return failures.without_addresses(said)[:LONGEST]

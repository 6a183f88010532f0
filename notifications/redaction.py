"""This module empties the addresses of people whose account was deleted, as soon as no mail needs them."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from billing import clock
from billing.models import AccountDeletion

from .models import Mail, Suppression

# So long staff may still send what failed, or may not have arrived.
RESEND_WITHIN = timedelta(days=7)
OVER = Mail.ARRIVED | {Mail.Status.SKIPPED, Mail.Status.BOUNCED}
HAS_LEFT = Q(kind=Mail.Kind.ACCOUNT_DELETED) | Q(customer__deletion__done_at__isnull=False)


def redact_finished(deletion: AccountDeletion, email: str) -> None:
    """Empty the address in mails that were finished before the account was deleted, and delete its suppressions. A
    suppression that another customer's mail caused stays."""
    theirs = Q(mail__customer=deletion.customer_id, mail__customer__isnull=False)
    Suppression.objects.filter(theirs | Q(pk=email.lower(), mail__customer=None)).delete()
    if deletion.customer_id:
        _redact(Mail.objects.filter(customer=deletion.customer_id, status__in=OVER))


def redact_sent(mail: Mail) -> None:
    """Empty the address in a mail that has just been finished, if its customer's account was deleted."""
    if mail.status in OVER:
        _redact(Mail.objects.filter(HAS_LEFT, pk=mail.pk))


def has_left(mail: Mail) -> bool:
    """Return whether the mail's customer has had their account deleted."""
    return Mail.objects.filter(HAS_LEFT, pk=mail.pk).exists()


def redact_late() -> None:
    """Empty the addresses in mails that staff did not send again in time, or that ended as the account was deleted."""
    since = clock.now() - RESEND_WITHIN
    _redact(Mail.objects.filter(customer__deletion__done_at__gt=since, status__in=OVER).exclude(recipient=""))
    late = Mail.objects.filter(HAS_LEFT, created_at__lt=since, status__in=Mail.SETTLED)
    _redact(late.exclude(recipient=""))


def _redact(mails: QuerySet[Mail]) -> None:
    Mail.objects.filter(pk__in=list(mails.values_list("pk", flat=True))).update(recipient="", error="")

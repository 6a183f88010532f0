"""Addresses of who has left: kept as long as a mail needs them, and no longer."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from billing import clock
from billing.models import AccountDeletion

from .models import Mail, Suppression

# So long staff may still send what failed, or may not have arrived.
RESEND_WITHIN = timedelta(days=7)
OVER = Mail.ARRIVED | {Mail.Status.SKIPPED, Mail.Status.BOUNCED}
HAS_LEFT = Q(kind=Mail.Kind.ACCOUNT_DELETED) | Q(customer__deletion__done_at__isnull=False)


def forget_settled(deletion: AccountDeletion, email: str) -> None:
    """What was sent before somebody left, and which addresses of theirs are not mailed. What others use too stays."""
    theirs = Q(mail__customer=deletion.customer_id, mail__customer__isnull=False)
    Suppression.objects.filter(theirs | Q(pk=email.lower(), mail__customer=None)).delete()
    if deletion.customer_id:
        _forget(Mail.objects.filter(customer=deletion.customer_id, status__in=OVER))


def forget_sent(mail: Mail) -> None:
    """A mail that has just been settled, where it went to who has left."""
    if mail.status in OVER:
        _forget(Mail.objects.filter(HAS_LEFT, pk=mail.pk))


def has_left(mail: Mail) -> bool:
    return Mail.objects.filter(HAS_LEFT, pk=mail.pk).exists()


def sweep() -> None:
    """Those that nobody sent again in time."""
    late = Mail.objects.filter(HAS_LEFT, created_at__lt=clock.now() - RESEND_WITHIN, status__in=Mail.SETTLED)
    _forget(late.exclude(recipient=""))


def _forget(mails: QuerySet[Mail]) -> None:
    Mail.objects.filter(pk__in=list(mails.values_list("pk", flat=True))).update(recipient="", error="")

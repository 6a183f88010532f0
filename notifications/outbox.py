"""The outbox: a mail is reserved with its reason, sent after commit by the queue, and never sent twice by itself.

1. `reserve` inserts the row by its unique key inside the transaction that made the reason true; the wake-up goes into
   the same transaction where the queue lives in the database, else after its commit.
2. `deliver` claims the row by one conditional UPDATE (token and lease), asks once more whether the reason holds,
   renders, connects, and stamps `sending`, committed, as the last thing before the provider hears of it.
3. It stamps `sent` once the provider has accepted.

No protocol makes the provider's acceptance and our stamp one step. Where it is certain that nothing was accepted
(a crash before `sending`, a refused connection, a 429 or 500) the mail is tried again; where it is not (a crash or a
lost answer after `sending`) the row becomes `unconfirmed`: staff see it and may send it again, we do not. So a mail
goes out at most once without a person's say; the price is that an unconfirmed one may not have arrived.

`sweep` finds what was left behind: tries that are due, wake-ups that were lost, workers that died.
"""

import logging
import uuid
from datetime import datetime, timedelta
from email.utils import make_msgid, parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.conf import Conf
from django_q.tasks import async_task
from structlog.contextvars import bound_contextvars

from billing import cause, clock
from billing.after_commit import after_commit
from billing.lanes import tries
from billing.models import Customer

from . import failures, forgetting, reasons, rendering, suppression
from .conf import conf
from .models import Mail

logger = logging.getLogger(__name__)

Status = Mail.Status

LAST_ATTEMPT = len(tries.WAITS) + 1
# A wake-up may wait this long in a busy queue before the sweep takes it for lost and adds another.
WAKE_UP_IS_LOST_AFTER = timedelta(minutes=5)
SWEEP_BATCH = 500
LOST_ANSWER = "The worker stopped after handing the mail over; whether it was accepted is not known."
CRASHED = "The worker stopped at every try."


def reserve(
    kind: Mail.Kind, key: str, customer: Customer | None, recipient: str, language: str = "", **context: Any
) -> Mail:
    """The row for `key`: a new one, put on the queue, or the one that is there, which stays what it is.

    A row that was skipped and now has a reason, or waits with words that `kind` says better, is taken over.
    """
    now, decided = timezone.now(), clock.now()
    mail = Mail(key=key, kind=kind, recipient=recipient, customer=customer, context=context, created_at=decided)
    mail.language = language
    mail.next_attempt_at, mail.message_id, mail.cause = now, new_message_id(), cause.current()
    mail.error = reasons.not_to_send(mail)
    mail.status = Status.SKIPPED if mail.error else Status.QUEUED
    with transaction.atomic():
        is_new = _insert(mail)
        if mail.status == Status.QUEUED and (is_new or _take_over(mail)):
            _wake([mail.pk], now)
    return mail if is_new else Mail.objects.get(key=key)


def deliver(mail_id: str) -> str:
    """One try at one mail: what the queue runs. Returns what became of it, for the task's record."""
    mail = _claim(mail_id)
    if mail is None:
        return "not due"
    with bound_contextvars(mail=mail.key, lane=mail.customer_id, cause=mail.cause or None):
        reason = reasons.not_to_send(mail) or suppression.reason(mail.recipient)
        if reason:
            _settle(mail, Status.SKIPPED, error=reason)
        else:
            _attempt(mail)
        logger.info("mail %s", mail.status, extra={"reason": reason or None})
        return mail.status


def sweep() -> int:
    """Each minute: give up on the dead, wake what is due and nobody carries. Returns how many were woken."""
    now = timezone.now()
    lapsed = Mail.objects.filter(leased_until__lt=now)
    # The token stays: a worker that was only slow still stamps what it knows.
    lapsed.filter(status=Status.SENDING).update(status=Status.UNCONFIRMED, error=LOST_ANSWER)
    lapsed.filter(status=Status.QUEUED, attempts__gte=LAST_ATTEMPT).update(status=Status.FAILED, error=CRASHED)
    is_carried = Q(woken_at__gte=now - WAKE_UP_IS_LOST_AFTER)
    forgetting.sweep()
    left_behind = Mail.objects.due(now).exclude(is_carried).order_by("next_attempt_at")
    with transaction.atomic():
        ids = list(left_behind.values_list("pk", flat=True)[:SWEEP_BATCH])
        _wake(ids, now)
    return len(ids)


def send_again(mail: Mail) -> str:
    """A person's decision: queue a settled mail once more, under a new Message-ID, to the address its customer has
    now. Returns why not, or nothing."""
    recipient = (mail.recipient and mail.customer and mail.customer.email) or mail.recipient
    reason = reasons.not_to_send(mail) or suppression.reason(recipient)
    if reason:
        return reason
    now = timezone.now()
    with transaction.atomic():
        settled = Mail.objects.filter(pk=mail.pk, status__in=Mail.SETTLED)
        if not settled.update(recipient=recipient, **_afresh(now)):
            return "It is on its way already."
        _wake([mail.pk], now)
    return ""


def _insert(mail: Mail) -> bool:
    """Whether our row is the one that stands; ON CONFLICT DO NOTHING, so it waits for a rival and never fails."""
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    return Mail.objects.filter(pk=mail.pk).exists()


def _take_over(mail: Mail) -> bool:
    there = Mail.objects.filter(key=mail.key).replaceable_by(mail.kind)
    taken = there.update(
        kind=mail.kind,
        context=mail.context,
        recipient=mail.recipient,
        cause=mail.cause,
        **_afresh(mail.next_attempt_at),
    )
    if taken:
        mail.pk = Mail.objects.values_list("pk", flat=True).get(key=mail.key)
    return bool(taken)


def _afresh(now: datetime) -> dict[str, Any]:
    """The columns of a row that starts over; whoever had it loses it with its token."""
    return {
        "status": Status.QUEUED,
        "attempts": 0,
        "error": "",
        "reported_at": None,
        "provider_id": "",
        "next_attempt_at": now,
        "message_id": new_message_id(),
        **_RELEASED,
    }


_RELEASED: dict[str, Any] = {"token": None, "leased_until": None}


def _wake(ids: list[uuid.UUID], now: datetime) -> None:
    """One wake-up each, in this transaction where the queue is in the database, else once it is committed."""
    Mail.objects.filter(pk__in=ids).update(woken_at=now)
    for mail_id in ids:
        if Conf.ORM and not Conf.SYNC:
            _enqueue(mail_id)
        else:
            after_commit(_enqueue_or_leave_to_the_sweep, mail_id)


def _enqueue(mail_id: uuid.UUID) -> None:
    async_task(f"{__name__}.deliver", str(mail_id))


def _enqueue_or_leave_to_the_sweep(mail_id: uuid.UUID) -> None:
    """A queue that is away did not take the wake-up: the next sweep need not take it for one that is on its way."""
    try:
        _enqueue(mail_id)
    except Exception:
        Mail.objects.filter(pk=mail_id).update(woken_at=None)
        raise


def _claim(mail_id: str) -> Mail | None:
    now, token = timezone.now(), uuid.uuid4()
    with transaction.atomic(durable=True):
        Mail.objects.filter(pk=mail_id, attempts__lt=LAST_ATTEMPT).due(now).update(
            token=token, leased_until=now + conf.lease, attempts=F("attempts") + 1
        )
    return Mail.objects.filter(pk=mail_id, token=token, status=Status.QUEUED).first()


def _attempt(mail: Mail) -> None:
    try:
        message = rendering.compose(mail)
        with get_connection() as connection:
            message.connection = connection
            if _begin(mail):
                message.send()
                _settle(mail, Status.SENT, sent_at=timezone.now(), error="", provider_id=_provider_id(message))
    except Exception as error:
        _record_failure(mail, error)
        if not failures.is_expected(error):
            raise


def _begin(mail: Mail) -> bool:
    """Stamp `sending`, committed before the provider hears of it; False if the row was taken over meanwhile."""
    with transaction.atomic(durable=True):
        is_ours = Mail.objects.filter(pk=mail.pk, token=mail.token, status=Status.QUEUED).update(status=Status.SENDING)
    if is_ours:
        mail.status = Status.SENDING
    return bool(is_ours)


def _record_failure(mail: Mail, error: Exception) -> None:
    """Try again, give up, or leave it to a person, by what is certain about the mail."""
    text = failures.describe(error)
    outcome = failures.outcome(error) if mail.status == Status.SENDING else failures.Outcome.TRY_AGAIN
    logger.warning("mail not sent", extra={"outcome": outcome.value})
    if outcome is failures.Outcome.UNKNOWN:
        _settle(mail, Status.UNCONFIRMED, error=text)
    elif outcome is failures.Outcome.REFUSED or mail.attempts >= LAST_ATTEMPT:
        _settle(mail, Status.FAILED, error=text)
    else:
        due = tries.next_try(mail.attempts)
        _settle(mail, Status.QUEUED, error=text, next_attempt_at=due, woken_at=None)


def _settle(mail: Mail, status: Mail.Status, **changes: Any) -> None:
    """Write what became of it and let go, unless the row was taken over meanwhile."""
    is_ours = Mail.objects.filter(pk=mail.pk, token=mail.token).update(status=status, **changes, **_RELEASED)
    if is_ours:
        mail.status = status
        forgetting.forget_sent(mail)


def _provider_id(message: EmailMultiAlternatives) -> str:
    """What anymail learnt from the provider; other backends have no such id."""
    status = getattr(message, "anymail_status", None)
    provider_id = getattr(status, "message_id", None)
    return provider_id if isinstance(provider_id, str) else ""


def new_message_id() -> str:
    _, address = parseaddr(conf.from_email)
    return make_msgid(domain=address.rpartition("@")[2] or "localhost")

"""The outbox reserves a mail with its reason, sends it from the queue after commit, and never sends it twice by itself.

1. `reserve` inserts the row by its unique key inside the transaction that made the reason true. The wake-up goes into
   the same transaction if the queue is in the database; otherwise it follows the commit.
2. `deliver` claims the row by one conditional UPDATE (token and lease), checks once more that the reason holds,
   renders, connects, and commits `sending` as its last step before it talks to the provider.
3. It stamps `sent` once the provider has accepted the mail.

No protocol makes the provider's acceptance and our stamp one step. If the mail was surely not accepted (a crash before
`sending`, a refused connection, a 429 or 500), it is tried again. If that is not known (a crash or a lost answer after
`sending`), the row becomes `unconfirmed`: staff see it and may send it again, the outbox does not. So no mail goes out
twice unless a person asks for it; in return, an unconfirmed mail may not have arrived.

`sweep` picks up what was left: tries that are due, lost wake-ups, mails of workers that died.

"""

import logging
import uuid
from datetime import datetime, timedelta
from email.utils import make_msgid, parseaddr
from functools import partial
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as db_connection
from django.db.models import F, Q
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from billing import cause, clock, mailer, queues
from billing.lanes import tries
from billing.models import Customer
from billing.stripe_client import home

from . import facts, failures, reasons, redaction, rendering, suppression
from .conf import conf
from .models import Mail

logger = logging.getLogger(__name__)

Status = Mail.Status

LAST_ATTEMPT = len(tries.WAITS) + 1
# A wake-up may wait this long in the queue before the sweep takes it for lost and adds another. A second one does no
# harm, but a long queue is not made longer, and a queue that is away is not asked again and again.
WAKE_UP_IS_LOST_AFTER = timedelta(seconds=50)
IN_A_LONG_QUEUE = timedelta(minutes=5)
LONG_QUEUE = 100
SWEEP_BATCH = 500
LOST_ANSWER = "The worker stopped while sending. We don't know whether the mail was accepted."
CRASHED = "The worker stopped at every attempt."


def reserve(
    kind: Mail.Kind, key: str, customer: Customer | None, recipient: str, language: str = "", **context: Any
) -> Mail:
    """Return the row for `key`: a new one, which is put on the queue, or the existing one, which is kept.

    The new mail takes over an existing row that was skipped and now has a reason, or that waits and is of a kind which
    `kind` replaces.
    """
    now, decided = timezone.now(), clock.now()
    mail = Mail(key=key, kind=kind, recipient=recipient, customer=customer, context=context, created_at=decided)
    mail.language = language
    mail.next_attempt_at, mail.message_id, mail.cause = now, first_message_id(key), cause.current()
    mail.error = reasons.not_to_send(mail)
    mail.status = Status.SKIPPED if mail.error else Status.QUEUED
    mail.woken_at = None if mail.error else now
    with transaction.atomic(savepoint=False):
        is_new = _insert(mail)
        if mail.status == Status.QUEUED and (is_new or _take_over(mail)):
            _enqueue(mail.pk)
    return mail if is_new else Mail.objects.get(key=key)


def deliver(mail_id: str) -> str:
    """Try once to send a mail; the queue runs this. Return the mail's state, for the task's record."""
    if home.why_away():
        return "held: this is a copy of another site's database"
    mail = _claim(mail_id)
    if mail is None:
        return "not due"
    with bound_contextvars(mail=mail.key, lane=mail.customer_id, cause=mail.cause or None):
        reason = reasons.not_to_send(mail) or suppression.reason(mail.recipient)
        if reason:
            _record_state(mail, Status.SKIPPED, error=reason)
        else:
            _attempt(mail)
        logger.info("mail %s", mail.status, extra={"reason": reason or None})
        return mail.status


def sweep() -> int:
    """Give up on mails whose worker crashed, and wake due mails that no worker has; this runs each minute. Return how
    many were woken."""
    now = timezone.now()
    lapsed = Mail.objects.filter(leased_until__lt=now)
    # The token stays: a worker that was only slow still stamps what it knows.
    lapsed.filter(status=Status.SENDING).update(status=Status.UNCONFIRMED, error=LOST_ANSWER)
    lapsed.filter(status=Status.QUEUED, attempts__gte=LAST_ATTEMPT).update(status=Status.FAILED, error=CRASHED)
    is_carried = Q(woken_at__gte=now - _lost_after())
    redaction.redact_late()
    left_behind = Mail.objects.due(now).exclude(is_carried).order_by("next_attempt_at")
    with transaction.atomic():
        ids = list(left_behind.values_list("pk", flat=True)[:SWEEP_BATCH])
        _wake(ids, now)
    return len(ids)


def _lost_after() -> timedelta:
    try:
        return WAKE_UP_IS_LOST_AFTER if queues.waiting() < LONG_QUEUE else IN_A_LONG_QUEUE
    except queues.BrokerAway:
        return IN_A_LONG_QUEUE


def waiting(most: int) -> list[str]:
    """Return the ids of mails that are due and that no worker has, first those that are due longest."""
    due = Mail.objects.due(timezone.now()).filter(attempts__lt=LAST_ATTEMPT).order_by("next_attempt_at")
    return [str(pk) for pk in due.values_list("pk", flat=True)[:most]]


def send_again(mail: Mail) -> str:
    """Queue a finished mail once more because a person asked for it, with a new Message-ID, to the customer's present
    address. Return why not, or an empty string."""
    recipient = (mail.recipient and facts.address_of(mail.customer)) or mail.recipient
    reason = reasons.not_to_send(mail) or suppression.reason(recipient)
    if reason:
        return reason
    now = timezone.now()
    with transaction.atomic():
        settled = Mail.objects.filter(pk=mail.pk, status__in=Mail.SETTLED)
        if not settled.update(recipient=recipient, **_afresh(now)):
            return "It is already on its way."
        _wake([mail.pk], now)
    return ""


def _insert(mail: Mail) -> bool:
    """Insert the row and return whether it is the one that counts. ON CONFLICT DO NOTHING waits for a rival and never
    fails."""
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    return Mail.objects.filter(pk=mail.pk).exists()


def _take_over(mail: Mail) -> bool:
    """Put the new mail's facts into the existing row if it may replace that row; return whether it did."""
    there = Mail.objects.filter(key=mail.key).replaceable_by(mail.kind)
    taken = there.update(
        kind=mail.kind,
        context=mail.context,
        recipient=mail.recipient,
        cause=mail.cause,
        woken_at=mail.woken_at,
        **_afresh(mail.next_attempt_at),
    )
    if taken:
        mail.pk = Mail.objects.values_list("pk", flat=True).get(key=mail.key)
    return bool(taken)


def _afresh(now: datetime) -> dict[str, Any]:
    """Return the columns of a row that starts over. A worker that had the row loses it with its token."""
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
    """Enqueue each mail: in this transaction if the queue is in the database, else after the commit."""
    Mail.objects.filter(pk__in=ids).update(woken_at=now)
    for mail_id in ids:
        _enqueue(mail_id)


def _enqueue(mail_id: uuid.UUID) -> None:
    queues.enqueue(
        f"{deliver.__module__}.{deliver.__name__}", str(mail_id), if_away=partial(_leave_to_the_sweep, mail_id)
    )


def _leave_to_the_sweep(mail_id: uuid.UUID) -> None:
    """Clear `woken_at`, so that the next sweep need not wait for a lost wake-up."""
    Mail.objects.filter(pk=mail_id).update(woken_at=None)


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
        with mailer.connection() as connection:
            if _begin(mail):
                connection.send_messages([message])
                _record_sent(mail, _provider_id(message))
    except Exception as error:
        _record_failure(mail, error)
        if not failures.is_expected(error):
            raise


def _record_sent(mail: Mail, provider_id: str) -> None:
    """Stamp `sent`. If the database has gone meanwhile, try once more by a new connection: otherwise the mail stays
    unconfirmed, and a person has to look at it."""
    stamp = partial(_record_state, mail, Status.SENT, sent_at=timezone.now(), error="", provider_id=provider_id)
    try:
        stamp()
    except (InterfaceError, OperationalError):
        if db_connection.in_atomic_block:
            raise
        db_connection.close()
        stamp()


def _begin(mail: Mail) -> bool:
    """Commit `sending` before the provider is called; return False if another worker has taken the row over."""
    with transaction.atomic(durable=True):
        is_ours = Mail.objects.filter(pk=mail.pk, token=mail.token, status=Status.QUEUED).update(status=Status.SENDING)
    if is_ours:
        mail.status = Status.SENDING
    return bool(is_ours)


def _record_failure(mail: Mail, error: Exception) -> None:
    """Plan another try, give up, or leave the mail to a person, depending on what the error proves."""
    text = failures.describe(error)
    outcome = failures.outcome(error) if mail.status == Status.SENDING else failures.Outcome.TRY_AGAIN
    logger.warning("mail not sent", extra={"outcome": outcome.value})
    if outcome is failures.Outcome.UNKNOWN:
        _record_state(mail, Status.UNCONFIRMED, error=text)
    elif outcome is failures.Outcome.REFUSED or mail.attempts >= LAST_ATTEMPT:
        _record_state(mail, Status.FAILED, error=text)
    else:
        due = tries.next_try(mail.attempts)
        _record_state(mail, Status.QUEUED, error=text, next_attempt_at=due, woken_at=None)


def _record_state(mail: Mail, status: Mail.Status, **changes: Any) -> None:
    """Write the mail's new state and release the row, unless another worker has taken it over."""
    is_ours = Mail.objects.filter(pk=mail.pk, token=mail.token).update(status=status, **changes, **_RELEASED)
    if is_ours:
        mail.status = status
        redaction.redact_sent(mail)


def _provider_id(message: EmailMultiAlternatives) -> str:
    """Return the provider's id of the mail, which only anymail's backends know."""
    status = getattr(message, "anymail_status", None)
    provider_id = getattr(status, "message_id", None)
    return provider_id if isinstance(provider_id, str) else ""


def first_message_id(key: str) -> str:
    """Return the Message-ID of the mail for `key`: if a failover or a restored backup loses the row, and the mail goes
    out again, mailboxes can tell that it is the same."""
    return f"<{uuid.uuid5(uuid.NAMESPACE_URL, f'{conf.from_email} {key}')}@{_domain()}>"


def new_message_id() -> str:
    """Return a new Message-ID in the sender's domain."""
    return make_msgid(domain=_domain())


def _domain() -> str:
    _, address = parseaddr(conf.from_email)
    return address.rpartition("@")[2] or "localhost"

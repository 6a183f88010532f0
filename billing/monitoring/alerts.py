"""Alerts are mailed to ADMINS, at most one mail an hour for each cause.

1. `alert_staff` and `remind_staff` write the row of a cause, after the commit of the work that raised it.
2. `send`, called each minute by `watch`, mails the causes that wait and were not mailed within the hour; a mail that
   cannot be sent waits for the next minute.

Subjects and texts name ids, never a person. Nothing here raises: no work fails over an alert about it.
"""

import logging
from datetime import datetime
from typing import Any

from django.core.mail import mail_admins
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from billing.after_commit import after_commit
from billing.commands import spelled
from billing.conf import conf
from billing.models import Alert

log = logging.getLogger(__name__)

LONGEST_SUBJECT = 200
TABLE = Alert._meta.db_table
RAISE = f"""
INSERT INTO {TABLE} (cause, subject, text, waiting, raised_at) VALUES (%s, %s, %s, 1, %s)
ON CONFLICT (cause) DO UPDATE SET
    subject = excluded.subject, text = excluded.text, raised_at = excluded.raised_at,
    waiting = {TABLE}.waiting + 1
"""  # noqa: S608
REMIND = f"{RAISE.rstrip()}\nWHERE {TABLE}.waiting = 0 AND {TABLE}.told_at <= %s"


def alert_staff(cause: str, subject: str, text: str) -> None:
    """Mail staff that something happened. If it happens again within the hour, it is counted, and the latest text is
    mailed after the hour.
    """
    after_commit(_raise, cause, subject, text)


def remind_staff(cause: str, subject: str, text: str) -> None:
    """Mail staff about a condition that may last: at once, and then once an hour while this is called."""
    after_commit(_remind, cause, subject, text)


def send() -> int:
    """Mail the alerts that wait; return how many mails."""
    due = Alert.objects.filter(Q(told_at=None) | Q(told_at__lte=_an_hour_ago()), waiting__gt=0).order_by("raised_at")
    return sum(_send(alert) for alert in due)


def _raise(cause: str, subject: str, text: str) -> None:
    _execute(RAISE, [*_columns(cause, subject, text)])


def _remind(cause: str, subject: str, text: str) -> None:
    """Raise the cause, unless it waits already or was told within the hour: two that remind at once count once."""
    _execute(REMIND, [*_columns(cause, subject, text), _an_hour_ago()])


def _columns(cause: str, subject: str, text: str) -> tuple[Any, ...]:
    return cause, " ".join(subject.split())[:LONGEST_SUBJECT], spelled(text), timezone.now()


def _execute(sql: str, params: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _send(alert: Alert) -> bool:
    """Claim the alert by one conditional UPDATE and mail it, so that two workers mail it once."""
    row = Alert.objects.filter(pk=alert.pk, told_at=alert.told_at, waiting=alert.waiting)
    if not row.update(told_at=timezone.now(), waiting=0):
        return False
    try:
        mail_admins(alert.subject, _words(alert))
    except Exception:  # whatever the mail backend raises
        log.exception("alert not mailed", extra={"cause": alert.pk})
        Alert.objects.filter(pk=alert.pk).update(told_at=alert.told_at, waiting=F("waiting") + alert.waiting)
        return False
    return True


def _words(alert: Alert) -> str:
    again = f"\n\nThis happened {alert.waiting} times; the latest is shown." if alert.waiting > 1 else ""
    return f"{alert.text}{again}\n\n{conf.site_url}\n"


def _an_hour_ago() -> datetime:
    return timezone.now() - conf.alert_every

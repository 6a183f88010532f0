"""The weekly digest is a mail to the staff who want it: the figures of the week that has ended, and what waits.

It is sent from Monday morning on, once to each: the row of the reader is claimed by one conditional UPDATE first.
"""

import logging
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format

from billing import clock, site
from billing.conf import conf
from billing.models import DigestReader

from . import needs
from .dashboard import Scope, periods, sections

log = logging.getLogger(__name__)

PERMISSION = f"{conf.app_label}.view_dashboard"
FROM = time(6)
SECTIONS = ("growth", "payments", "recovery")
SUBJECT = "Your week in billing: {} – {}"


def wants(user: Any) -> bool:
    return DigestReader.objects.filter(staff=str(user.pk)).exists()


def subscribe(user: Any) -> None:
    """Have the digest sent from next Monday on."""
    DigestReader.objects.get_or_create(staff=str(user.pk), defaults={"week": _monday()})


def unsubscribe(user: Any) -> None:
    DigestReader.objects.filter(staff=str(user.pk)).delete()


def hourly() -> str:
    """Send the digests that are due. Returns a summary for the queue."""
    monday = _monday()
    if timezone.localtime(clock.now()) < timezone.make_aware(datetime.combine(monday, FROM)):
        return "not yet"
    due = DigestReader.objects.filter(Q(week=None) | Q(week__lt=monday)).order_by("pk")
    return f"{sum(_send(reader, monday) for reader in due)} digests sent"


def text_for(user: Any, monday: date) -> str:
    """Return the digest of the week before this Monday, with what the reader may see."""
    scope = Scope(_week(monday), user)
    lines = []
    for key in SECTIONS:
        section = sections.section_named(scope, key)
        if section is None:
            continue
        lines += ["", section.title, *(_line(figure) for figure in section.figures)]
    waiting = [f"  {count} {need.one if count == 1 else need.many}" for need, count in _waiting(user)]
    lines += ["", "What needs a person today?", *(waiting or ["  Nothing needs a person now."])]
    return "\n".join([*lines[1:], "", *_where(), ""])


def _send(reader: DigestReader, monday: date) -> bool:
    """Claim the row and mail it, so that two workers mail it once; a mail that fails is tried again in an hour."""
    if not DigestReader.objects.filter(pk=reader.pk, week=reader.week).update(week=monday):
        return False
    user = _reader(reader.staff)
    if user is None:
        reader.delete()
        return False
    week = _week(monday)
    subject = SUBJECT.format(date_format(week.first_day, "j M"), date_format(week.last_day, "j M Y"))
    try:
        send_mail(subject, text_for(user, monday), None, [getattr(user, user.get_email_field_name())])
    except Exception:  # whatever the mail backend raises
        log.exception("digest not mailed", extra={"staff": reader.staff})
        DigestReader.objects.filter(pk=reader.pk, week=monday).update(week=reader.week)
        return False
    return True


def _reader(key: str) -> Any:
    """Return the member of staff, while they may see the dashboard and have an address; None otherwise."""
    model: Any = get_user_model()
    try:
        user = model._default_manager.filter(pk=key).first()
    except (ValidationError, ValueError):
        return None
    may = user is not None and user.is_active and user.is_staff and user.has_perm(PERMISSION)
    return user if may and getattr(user, user.get_email_field_name(), "") else None


def _monday() -> date:
    today = timezone.localdate(clock.now())
    return today - timedelta(days=today.weekday())


def _week(monday: date) -> periods.Period:
    return periods.Period(periods.midnight(monday - timedelta(days=7)), periods.midnight(monday))


def _line(figure: Any) -> str:
    notes = f" ({'; '.join(figure.notes)})" if figure.notes else ""
    return f"  {figure.term.name}: {', '.join(figure.values)}{notes}"


def _waiting(user: Any) -> list[tuple[needs.Need, int]]:
    seen = (need for need in needs.all_needs() if user.has_perm(need.permission()))
    counted = ((need, need.counted()) for need in seen)
    return [(need, count) for need, count in counted if count]


def _where() -> list[str]:
    """Return where the figures are, and how to stop the mail; nothing in a project without the admin's addresses."""
    try:
        address = site.absolute(reverse(f"admin:{conf.app_label}_dashboard_changelist"))
    except NoReverseMatch:
        return []
    return [f"Dashboard: {address}", "A button at the end of that page stops this mail."]

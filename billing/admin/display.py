"""The admin shows badges, times, amounts, ids and JSON through these functions, which escape everything."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext

from billing.conf import conf
from billing.money import DEFAULT_LOCALE, format_amount

from . import stripe_pages

# Unit, its length in seconds, and the number of seconds up to which it is used.
UNITS = ((1, "s", 120), (60, "min", 7200), (3600, "h", 172800))
DAY = 86400
NOTHING = "–"


def column(description: str, ordering: str | None = None) -> Callable[[Callable[[Any, Any], Any]], Any]:
    """Mark a method as a fact of a row, for a list or a page; it shows a dash where there is no value."""

    def decorate(tell: Callable[[Any, Any], Any]) -> Any:
        @wraps(tell)
        def told(model_admin: Any, row: Any) -> Any:
            value = tell(model_admin, row)
            return NOTHING if value is None or value == "" else value

        return admin.display(told, description=description, ordering=ordering)

    return decorate


def badge(text: str, kind: str, title: str = "") -> SafeString:
    """Return a coloured word; `kind` is good, waiting, bad, dead or quiet."""
    return format_html('<span class="billing-badge billing-badge-{}" title="{}">{}</span>', kind, title, text)


def strong(text: Any) -> SafeString:
    return format_html('<strong class="billing-figure">{}</strong>', text)


def lines(*parts: Any) -> SafeString | None:
    """Return the first part, with the others small beneath it; empty parts are left out."""
    shown = [part for part in parts if part]
    if not shown:
        return None
    small = format_html_join("", '<span class="billing-small">{}</span>', ((part,) for part in shown[1:]))
    return format_html("{}{}", shown[0], small)


def side_by_side(parts: Iterable[Any], between: str = " ") -> SafeString:
    return format_html_join(between, "{}", ((part,) for part in parts))


def breakable(text: str) -> SafeString:
    """Return a long name that a narrow column may break after its dots and underscores, but not within a word."""
    words = re.split(r"(?<=[._@])", text)
    return format_html_join("", "{}<wbr>", ((word,) for word in words))


def in_groups(text: str) -> SafeString:
    """Return a code that a narrow column may break after each eighth character."""
    return format_html_join("", "{}<wbr>", ((group,) for group in re.findall(".{1,8}", text)))


def preformatted(text: str) -> SafeString:
    return format_html('<pre class="billing-pre">{}</pre>', text)


def day(at: datetime | None) -> SafeString | None:
    """Return the date, with the exact time as its title."""
    return _time(at, "j M Y")


def moment(at: datetime | None) -> SafeString | None:
    """Return date and time to the minute, with the seconds in the title."""
    return _time(at, "j M Y, H:i")


def exact(at: datetime | None) -> SafeString | None:
    return _time(at, "j M Y, H:i:s T")


def _time(at: datetime | None, pattern: str) -> SafeString | None:
    if at is None:
        return None
    local = timezone.localtime(at)
    title = date_format(local, "j M Y, H:i:s T")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), title, date_format(local, pattern))


def span(start: datetime | None, end: datetime | None) -> SafeString | None:
    """Return both ends of a period, or the one that is known."""
    ends = [shown for shown in (moment(start), moment(end)) if shown]
    return side_by_side(ends, between=" – ") if ends else None


def age(at: datetime | None) -> SafeString | None:
    """Return the time passed by the wall clock, with the exact time as its title."""
    if at is None:
        return None
    title = date_format(timezone.localtime(at), "j M Y, H:i:s T")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), title, took(timezone.now() - at))


def took(length: timedelta) -> str:
    """Return a duration in one unit, which is enough in a table: `0.4 s`, `3 min`, `5 h`, `2 days`."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit, limit in UNITS:
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    days = round(seconds / DAY)
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def amount(minor: int | None, currency: str) -> str | None:
    if minor is None or not currency:
        return None
    return format_amount(minor, currency, get_language() or DEFAULT_LOCALE)


def at_stripe(object_id: str, livemode: bool | None = None) -> SafeString | None:
    """Return an id that links to Stripe's dashboard."""
    if not object_id:
        return None
    return format_html(
        '<a class="billing-id" href="{}" target="_blank" rel="noopener noreferrer" title="Open in Stripe">{}</a>',
        stripe_pages.url(object_id, livemode),
        object_id,
    )


def plain_id(object_id: str) -> SafeString | None:
    return format_html('<span class="billing-id">{}</span>', object_id) if object_id else None


def row_link(model: str, pk: Any, text: Any) -> SafeString:
    """Return a link to the page of one of our rows; `model` is in lower case."""
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{conf.app_label}_{model}_change", args=(quote(pk),)), text
    )


def list_link(model: str, text: str, **query: Any) -> SafeString:
    """Return a link to one of our lists, filtered or searched by `query`."""
    address = reverse(f"admin:{conf.app_label}_{model}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(query), text)


def outside_link(url: str, text: str) -> SafeString | None:
    """Return a link to an address that Stripe gave; only http(s) becomes a link."""
    if not url.startswith(("https://", "http://")):
        return None
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, text)


def folded_json(value: Any, summary: str) -> SafeString:
    """Return folded JSON, indented and escaped, without its secrets."""
    return format_html(
        '<details class="billing-json"><summary>{}</summary><pre>{}</pre></details>',
        summary,
        json.dumps(without_secrets(value), indent=2, ensure_ascii=False),
    )


def without_secrets(value: Any) -> Any:
    """Remove secrets: with a client secret somebody could pay or confirm, with the secret of an endpoint somebody
    could forge events."""
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: "•••" if _is_secret(key, item) else without_secrets(item) for key, item in value.items()}
    return value


def _is_secret(key: str, item: Any) -> bool:
    return isinstance(item, str) and key in {"secret", "client_secret"}

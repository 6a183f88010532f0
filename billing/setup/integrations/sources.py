"""Beliefs come from dj-stripe's rows, from pinax-stripe's tables, from a file, or from a function of the project."""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.module_loading import import_string
from djstripe import models as djstripe

from billing.conf import conf
from billing.models import Subscription
from billing.setup.importing.matching import WrongUse, subscribers

from .beliefs import Belief

AT_ONCE = 500
STDIN = "-"
Row = Mapping[str, Any]
Beliefs = Iterator[Belief]
OVER = frozenset({Subscription.Status.NONE, *Subscription.TERMINAL})
# dj-stripe gives access by these.
CURRENT = frozenset({"trialing", "active"})
PINAX_CUSTOMERS = """
SELECT id, stripe_id, user_id FROM pinax_stripe_customer
WHERE id > %s AND date_purged IS NULL ORDER BY id LIMIT %s
"""
PINAX_SUBSCRIPTIONS = """
SELECT s.customer_id, s.stripe_id, s.status, p.stripe_id, s.current_period_end, s.cancel_at_period_end, s.ended_at
FROM pinax_stripe_subscription s JOIN pinax_stripe_plan p ON p.id = s.plan_id
WHERE s.customer_id IN ({}) ORDER BY s.id
"""


def from_file(path: str) -> Beliefs:
    """Yield the beliefs of a file, or of standard input for "-": CSV with a header, or a JSON object a line."""
    name = "standard input" if path == STDIN else path
    try:
        with nullcontext(sys.stdin) if path == STDIN else Path(path).open(encoding="utf-8-sig", newline="") as lines:
            yield from _checked(_rows(lines), name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongUse(f"{name} cannot be read: {error}") from error


def from_function(path: str) -> Beliefs:
    """Yield the beliefs of a function of the project: it takes nothing and yields dicts with the columns of a file."""
    try:
        function: Callable[[], Iterable[Row]] = import_string(path)
    except ImportError as error:
        raise WrongUse(f"{path} cannot be imported: {error}") from error
    yield from _checked(iter(function()), path)


def from_djstripe() -> Beliefs:
    """Yield what dj-stripe's rows say, read from the objects in them: its columns are empty on today's API versions."""
    theirs = djstripe.Customer._meta.get_field("subscriber").related_model
    is_of_subscribers = theirs is subscribers()
    customers = djstripe.Customer.objects.filter(livemode=conf.live_mode, date_purged=None).order_by("djstripe_id")
    last: Any = 0
    while found := list(customers.filter(djstripe_id__gt=last)[:AT_ONCE]):
        last = found[-1].djstripe_id
        rows = djstripe.Subscription.objects.filter(customer__in=found).order_by("djstripe_id")
        live: dict[str, list[Row]] = defaultdict(list)
        for obj in rows.values_list("stripe_data", flat=True):
            live[_id(obj["customer"])].append(_of_stripe(obj))
        for customer in found:
            subscriber = customer.subscriber_id if is_of_subscribers else None
            mine = live[customer.id]
            has_access = any(row["status"] in CURRENT for row in mine)
            yield from _of_customer(customer.id, subscriber, has_access, mine)


def from_pinax() -> Beliefs:
    """Yield what pinax-stripe's tables say, versions 3 and 4; pinax-stripe-light has no such tables."""
    if "pinax_stripe_subscription" not in connection.introspection.table_names():
        raise WrongUse(
            "There is no table pinax_stripe_subscription. pinax-stripe-light keeps events alone: write what your code "
            "believes into a file (--file), or name a function (--call)."
        )
    last = 0
    while found := _select(PINAX_CUSTOMERS, [last, AT_ONCE]):
        last = found[-1][0]
        live: dict[int, list[Row]] = defaultdict(list)
        keys = [key for key, *_ in found]
        for key, subscription, status, plan, ends, cancels, ended_at in _select(
            PINAX_SUBSCRIPTIONS.format(", ".join(["%s"] * len(keys))), keys
        ):
            row = {"subscription": subscription, "status": status, "price": plan, "period_end": ends}
            live[key].append({**row, "cancel_at_period_end": cancels, "ended_at": ended_at})
        for key, customer, user in found:
            mine = [{name: row[name] for name in row if name != "ended_at"} for row in live[key]]
            has_access = any(_is_open(row["ended_at"]) for row in live[key])  # its has_active_subscription
            yield from _of_customer(customer, user, has_access, mine)


def _of_customer(customer: str, subscriber: Any, has_access: bool, found: Iterable[Row]) -> Beliefs:
    """Yield a belief for each live subscription, or one that says that there is none."""
    about = {"customer": customer, "subscriber": subscriber, "access": has_access}
    for row in [row for row in found if row["status"] not in OVER] or [{"status": "none"}]:
        yield Belief.from_row({**about, **row})


def _of_stripe(obj: dict[str, Any]) -> Row:
    """Return the facts of a subscription as Stripe sent it; the period is in the item on today's API versions."""
    item: dict[str, Any] = next(iter((obj.get("items") or {}).get("data") or []), {})
    return {
        "subscription": obj["id"],
        "status": obj["status"],
        "price": _id(item.get("price") or item.get("plan") or obj.get("plan")),
        "period_end": obj.get("current_period_end") or item.get("current_period_end"),
        "cancel_at_period_end": bool(obj.get("cancel_at_period_end") or obj.get("cancel_at")),
    }


def _id(given: Any) -> Any:
    return given["id"] if isinstance(given, dict) else given


def _is_open(ended_at: Any) -> bool:
    return ended_at is None or bool(Belief.from_row({"customer": "cus_", "access_until": ended_at}).has_access)


def _select(statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _rows(lines: Iterable[str]) -> Iterator[Row]:
    """Yield a row for each line, one at a time: the file may be large."""
    lines = iter(lines)
    first = next(lines, "").removeprefix("\ufeff")
    if first.lstrip().startswith("{"):
        yield from (json.loads(line) for line in chain([first], lines) if line.strip())
    else:
        yield from csv.DictReader(chain([first], lines))


def _checked(rows: Iterator[Row], name: str) -> Beliefs:
    read = 0
    try:
        for row in rows:
            read += 1
            yield Belief.from_row(row)
    except json.JSONDecodeError as error:
        raise WrongUse(f"{name}, row {read + 1}: is no JSON object.") from error
    except WrongUse as error:
        raise WrongUse(f"{name}, row {read}: {error}.") from error

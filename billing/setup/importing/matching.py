"""This module finds the subscriber of a Stripe customer, in the way that the operator chose. None of them guesses."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import models
from django.db.models.functions import Lower
from djstripe import models as djstripe

from billing.conf import conf
from billing.models import listed_subscribers

IN_ONE_QUERY = 500


class WrongUse(Exception):
    """The options are wrong; the message says what to write instead."""


@dataclass(frozen=True)
class Listed:
    """A customer in Stripe's list is kept with these facts only."""

    email: str
    preferred_locale: str
    metadata: dict[str, str] = field(repr=False)
    created: int


@dataclass(frozen=True)
class Pair:
    """A pair states that a customer belongs to a subscriber: `subscriber` is a primary key, or None if `named` is
    nobody.

    `doubt` is the code of what speaks against the pair, if only an address speaks for it (`doubts`).
    """

    customer: str
    subscriber: Any
    named: str
    doubt: str = ""


Pairs = Callable[[dict[str, Listed]], list[Pair]]


def subscribers() -> Any:
    return apps.get_model(conf.subscriber_model)


def by_field(name: str) -> Pairs:
    """Match by a field of the subscriber model that holds `cus_…`; it may be reached through relations,
    `profile__stripe_id`."""
    try:
        rows = list(listed_subscribers().exclude(**{name: None}).values_list("pk", name))
    except (FieldError, ValueError) as error:
        raise WrongUse(f"{subscribers().__name__} has no field {name}: {error}") from error
    found = [Pair(str(customer).strip(), pk, str(pk)) for pk, customer in rows if str(customer).strip()]
    return lambda listed: found


def by_file(path: str, name: str) -> Pairs:
    """Match by a file: CSV with a header, or one JSON object per line, with `subscriber` (their `name`, or primary
    key) and `customer`."""
    named = list(_read(Path(path)))
    keys = _resolve(name, {subscriber for subscriber, _ in named})
    found = [pair for subscriber, customer in named for pair in _pairs(customer, subscriber, keys)]
    return lambda listed: found


def by_metadata(key: str, name: str) -> Pairs:
    """Match by the customer's metadata, which name the subscriber's `name` or primary key."""
    return partial(_by_what_stripe_says, name, lambda customer: str(customer.metadata.get(key) or "").strip())


def by_email(name: str) -> Pairs:
    """Match by e-mail address, in any spelling, if it is unique on both sides."""
    column = field_named(subscribers(), name)

    def email_of(customer: Listed) -> str:
        return str(column.to_python(customer.email) or "").lower()

    return partial(_by_what_stripe_says, name, email_of, is_lower=True)


def by_djstripe() -> Pairs:
    """Match as dj-stripe has linked them: `djstripe.Customer.subscriber`."""
    theirs = djstripe.Customer._meta.get_field("subscriber").related_model
    if theirs is not subscribers():
        raise WrongUse(
            f"dj-stripe's subscribers are {theirs._meta.label}, ours {subscribers()._meta.label}: set "
            "DJSTRIPE_SUBSCRIBER_MODEL and BILLING_SUBSCRIBER_MODEL to the same model, or write a file and use --file."
        )
    rows = djstripe.Customer.objects.filter(livemode=conf.live_mode).exclude(subscriber=None)
    found = [Pair(customer, pk, str(pk)) for customer, pk in rows.values_list("id", "subscriber_id")]
    return lambda listed: found


def _by_what_stripe_says(
    name: str, say: Callable[[Listed], str], listed: dict[str, Listed], *, is_lower: bool = False
) -> list[Pair]:
    said = {customer: text for customer, found in listed.items() if (text := say(found))}
    keys = _resolve(name, set(said.values()), is_lower=is_lower)
    return [pair for customer, text in said.items() for pair in _pairs(customer, text, keys)]


def _pairs(customer: str, named: str, keys: dict[str, list[Any]]) -> Iterator[Pair]:
    for pk in keys.get(named) or [None]:
        yield Pair(customer, pk, named)


def _resolve(name: str, texts: set[str], *, is_lower: bool = False) -> dict[str, list[Any]]:
    """Return text → primary keys of the subscribers whose `name` it is; several if it is not unique."""
    model = subscribers()
    column = field_named(model, name)
    wanted = {text: text for text in texts} if is_lower else _values(column, texts)
    rows = listed_subscribers().annotate(named=Lower(column.name) if is_lower else models.F(column.name))
    found: dict[str, list[Any]] = defaultdict(list)
    for some in portions(list(wanted)):
        for value, pk in rows.filter(named__in=some).values_list("named", "pk"):
            found[wanted[value]].append(pk)
    return found


def field_named(model: Any, name: str) -> Any:
    try:
        return model._meta.get_field(name) if name else model._meta.pk
    except FieldDoesNotExist as error:
        raise WrongUse(f"{model.__name__} has no field {name}.") from error


def _values(column: Any, texts: set[str]) -> dict[Any, str]:
    """Return value of the column → text; a text that the column does not take is left out."""
    found = {}
    for text in texts:
        try:
            value = column.to_python(text)
            column.run_validators(value)
        except ValidationError:
            continue
        found[value] = text
    return found


def portions(values: list[Any]) -> Iterable[list[Any]]:
    return (values[start : start + IN_ONE_QUERY] for start in range(0, len(values), IN_ONE_QUERY))


def _read(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{path} cannot be read: {error}") from error
    lines = text.splitlines()
    rows = _json_lines(lines) if text.lstrip().startswith("{") else csv.DictReader(lines)
    for number, row in enumerate(rows, start=1):
        subscriber, customer = (str(row.get(name) or "").strip() for name in ("subscriber", "customer"))
        if not subscriber or not customer.startswith("cus_"):
            raise WrongUse(
                f"{path}, row {number}: must have `subscriber` and `customer` (cus_…), as CSV columns or JSON keys."
            )
        yield subscriber, customer


def _json_lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError as error:
            raise WrongUse(f"This line is not a JSON object: {line[:80]}") from error
        if isinstance(row, dict):
            yield row

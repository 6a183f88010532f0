"""Parsing reads an event from JSON, and accepts only what every later reader of an event can handle.

Python, PostgreSQL's jsonb and SQLite's JSON differ on what lies outside of these bounds. Stripe's own events are far
inside: ten levels deep, integers of 64 bits, no name twice in an object.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from . import thin

MOST_LEVELS = 64
CONTAINERS = (dict, list)
INT64 = 2**63
MOST_DIGITS = 20  # with the sign, an integer of 64 bits has no more
NO_DATE_HOLDS = 253_402_300_800  # the year 10000
# How JSON spells NUL characters and halves of surrogate pairs: jsonb refuses them, and SQLite hands them to readers
# that cannot write them out.
MAYBE_NOT_STORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# Stripe's own ids; these go into the paths of our calls. Those of the catalogue are chosen by whoever sells.
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
NAMED_BY_US = frozenset({"coupon", "plan", "price", "product"})
REFERENCES = ("customer", "subscription", "invoice", "charge", "payment_intent", "schedule")


class NotBearable(ValueError):
    """The text is not JSON, or is JSON that no reader of events can handle; `code` is stable, the text a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class NotAnEvent(ValueError):
    """The JSON is not an event of Stripe's API v1 with its object; `code` is stable, the text a sentence."""

    def __init__(self, detail: str, code: str = "not_an_event") -> None:
        super().__init__(detail)
        self.code = code


def parse(text: str) -> "Event":
    """Return the event of a JSON text. Raises NotBearable, NotAnEvent."""
    try:
        data = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_of_64_bits,
            object_pairs_hook=_without_repeats,
        )
    except NotBearable:
        raise
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise NotBearable("bad_json", "The body is not JSON.") from error
    return Event.of(data, text)


def check_depth(value: Any) -> None:
    """Raise NotBearable for a value of more than 64 lists and objects inside each other."""
    level = [value] if isinstance(value, CONTAINERS) else []
    for _ in range(MOST_LEVELS):
        if not level:
            return
        # The door does this for each event: a function for a step would cost more than the rest.
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, CONTAINERS)
        ]
    if level:
        raise _too_deep()


def _too_deep() -> NotBearable:
    return NotBearable("too_deep", f"An event has at most {MOST_LEVELS} levels of lists and objects.")


def _refuse_constant(name: str) -> NoReturn:
    raise NotBearable("bad_json", f"The body is not JSON: {name} is not a number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotBearable("not_finite", "A number is too large for any reader: send a finite one.")
    return number


def _of_64_bits(text: str) -> int:
    number = int(text) if len(text) <= MOST_DIGITS else INT64
    if not -INT64 <= number < INT64:
        raise NotBearable("number_too_large", "An integer is outside of 64 bits.")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that comes twice, since readers differ on which value counts: Python takes the last, SQLite the
    first."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotBearable("repeated_name", "An object has the same name twice: send it once.")
    return value


@dataclass(frozen=True)
class Event:
    """An event holds the parts of its JSON that the ledger reads, and the text to be stored."""

    id: str
    type: str
    created: int
    livemode: bool
    api_version: str
    object: dict[str, Any]
    previous: dict[str, Any]
    text: str
    account: str = ""

    @classmethod
    def of(cls, data: Any, text: str | None = None) -> "Event":
        """Read an event; `text` is the JSON that `data` was parsed from. Raises NotAnEvent, which names what is missing
        or of another type; NotBearable if it is nested too deep.
        """
        check_depth(data)
        if thin.is_thin(data):
            data = thin.as_event(data)
            text = None
        text = json.dumps(data) if text is None else text
        if MAYBE_NOT_STORABLE.search(text):
            data = storable(data)
            text = json.dumps(data)
        if not isinstance(data, dict) or data.get("object") != "event":
            raise NotAnEvent('not an event: "object" must be "event"')
        body = data.get("data")
        if not isinstance(body, dict) or not isinstance(body.get("object"), dict):
            raise NotAnEvent("not an event with its object: data.object is missing")
        previous = body.get("previous_attributes")
        previous = previous if isinstance(previous, dict) else {}
        _check_object(body["object"], previous)
        return cls(
            id=_identifier("id", _text(data, "id", 255)),
            type=_text(data, "type", 100),
            created=_seconds(data),
            livemode=_flag(data, "livemode"),
            api_version=str(data.get("api_version") or "")[:64],
            object=body["object"],
            previous=previous,
            text=text,
            account=str(data.get("account") or "")[:255],
        )

    @property
    def object_id(self) -> str:
        """Return the object's id; empty where the object has none, as in `invoice.upcoming`."""
        found = self.object.get("id")
        return found[:255] if isinstance(found, str) else ""


def _check_object(obj: dict[str, Any], previous: dict[str, Any]) -> None:
    """Check that kind and id are texts where the object has them, and that ids which it names can stand in a path."""
    for name in ("object", "id"):
        if not isinstance(obj.get(name), str | None):
            raise NotAnEvent(f"not an event with its object: data.object.{name} must be a text", "bad_object")
    if obj.get("id") is not None and obj.get("object") not in NAMED_BY_US:
        _identifier("data.object.id", obj["id"])
    payment = obj.get("payment")
    for holder in (obj, previous, payment if isinstance(payment, dict) else {}):
        for name in REFERENCES:
            if found := holder.get(name):
                _identifier(name, found.get("id") if isinstance(found, dict) else found)


def _identifier(name: str, value: Any) -> str:
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        raise NotAnEvent(f"not an event: {name} must be an id of only letters, digits, _ and -", "bad_id")
    return value


def _text(data: dict[str, Any], name: str, longest: int) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise NotAnEvent(f"not an event: {name} must be a text of 1 to {longest} characters")
    return value


def _seconds(data: dict[str, Any]) -> int:
    value = data.get("created")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < NO_DATE_HOLDS:
        raise NotAnEvent("not an event: created must be a time in UTC seconds")
    return value


def _flag(data: dict[str, Any], name: str) -> bool:
    value = data.get(name)
    if not isinstance(value, bool):
        raise NotAnEvent(f"not an event: {name} must be true or false")
    return value


def storable(value: Any) -> Any:
    """Return the same JSON without NUL characters and halves of surrogate pairs, which jsonb and UTF-8 cannot hold."""
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "�").encode("utf-8", "replace").decode()
    return value

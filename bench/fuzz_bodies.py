"""This module makes malformed bodies for the webhook door: Stripe's own events, changed in one to four places by a
seed."""

import copy
import json
import random
from pathlib import Path
from typing import Any

from billing.conf import API_VERSION

OBJECTS = Path(__file__).parent.parent / "billing" / "tests" / "fixtures" / "stripe_objects.json"
# Types we listen to, each with the object it brings; and two that we do not.
KINDS = {
    "checkout.session.completed": "checkout.session",
    "checkout.session.expired": "checkout.session",
    "customer.subscription.created": "subscription",
    "customer.subscription.updated": "subscription",
    "customer.subscription.deleted": "subscription",
    "customer.subscription.trial_will_end": "subscription",
    "customer.updated": "customer",
    "customer.deleted": "customer",
    "invoice.paid": "invoice",
    "invoice.payment_succeeded": "invoice",
    "invoice.payment_failed": "invoice",
    "invoice.payment_action_required": "invoice",
    "invoice.voided": "invoice",
    "invoice.finalization_failed": "invoice",
    "charge.refunded": "charge",
    "refund.created": "refund",
    "refund.updated": "refund",
    "charge.dispute.created": "dispute",
    "charge.dispute.closed": "dispute",
    "payment_method.updated": "payment_method",
    "price.updated": "price",
    "product.updated": "product",
}
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 10**40, 1e308, -0.0,
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "é", "\u202e", "../../customers/cus_x", "a/b?c#d", "<b>x</b>",
    "=1+1", "'", '"; DROP TABLE stripe_events; --', "x" * 300, "x" * 70_000, [], {}, [[]], {"id": None}, {"id": 1},
    {"id": ["a"]}, {"object": {}}, {"object": []}, {"object": "customer"}, {"client_secret": 5}, {"": ""}, {"\0": "\0"},
)  # fmt: skip
# Written into the text, for no value of Python's says it.
SPELT = ("1e999", "-1e999", "1e400", "NaN", "Infinity", "9" * 5000, "-" + "9" * 20, "1E+2", "\\u0000", '{"a":1,"a":2}')
MARK = "a mark that a spelling takes the place of"


def bodies(seed: int, number: int) -> list[bytes]:
    """Yield bodies, the same ones for the same seed."""
    source = random.Random(seed)
    objects = json.loads(OBJECTS.read_text())
    return [body(source, objects, f"evt_fuzz_{seed}_{index}") for index in range(number)]


def body(source: random.Random, objects: dict[str, Any], event_id: str) -> bytes:
    event = an_event(source, objects, event_id)
    if source.random() < 0.1:
        return encoded(source, event)
    for _ in range(source.randint(1, 4)):
        event = bend(source, event)
    return encoded(source, event)


def an_event(source: random.Random, objects: dict[str, Any], event_id: str) -> Any:
    event_type = source.choice(sorted(KINDS))
    obj = copy.deepcopy(objects[KINDS[event_type]])
    obj["id" if KINDS[event_type] == "customer" else "customer"] = f"cus_fuzz{source.randint(1, 20)}"
    event: dict[str, Any] = {"id": event_id, "object": "event", "type": event_type, "api_version": API_VERSION}
    event |= {"created": source.randint(1, 2**31), "livemode": False, "pending_webhooks": 1}
    data = {"object": obj, "previous_attributes": {"status": "active"}} if source.random() < 0.3 else {"object": obj}
    return {**event, "request": {"id": None, "idempotency_key": None}, "data": data}


def bend(source: random.Random, event: Any) -> Any:
    """Change one place: give it another value, remove, nest or repeat it, or spell it so that readers differ on it."""
    places = list(_places(event))
    if not places:
        return event
    # Half of the time near the top, where it is read; else anywhere.
    near = [place for place in places if place[2] <= 3]
    holder, key, _ = source.choice(near if near and source.random() < 0.6 else places)
    match source.randrange(7):
        case 0 | 1 | 2:
            holder[key] = copy.deepcopy(source.choice(ODD))
        case 3:
            holder[key] = nested(source, source.choice((2, 20, 50, 55, 60, 62, 63, 64, 65, 66, 300, 940, 3000)))
        case 4:
            holder[key] = MARK
        case 5:
            del holder[key]
        case _:
            holder[key] = [holder[key]] * source.choice((1, 2, 200))
    return event


def nested(source: random.Random, levels: int) -> Any:
    value: Any = source.choice(("end", "\0", "\ud800", MARK, {"client_secret": "x"}))
    for _ in range(levels):
        value = [value] if source.random() < 0.5 else {source.choice(("a", "object", "email", "data")): value}
    return value


def encoded(source: random.Random, event: Any) -> bytes:
    try:
        text = json.dumps(event, ensure_ascii=source.random() < 0.7)
    except RecursionError:
        return b"[" * 50_000
    text = text.replace(json.dumps(MARK), source.choice(SPELT))
    made = text.encode("utf-8", "surrogatepass")
    match source.randrange(40):
        case 0:
            return made[: source.randrange(len(made))]
        case 1:
            return made.replace(b'"', source.choice((b"\xff", b"'", b"")), 1)
        case 2:
            return b"\xef\xbb\xbf" + made
        case 3:
            return text.encode("utf-16", "surrogatepass")
        case 4:
            return made[:-1] + b" " * source.choice((10, 1_100_000)) + made[-1:]
    return made


def _places(value: Any, depth: int = 0) -> Any:
    """Yield (holder, key, depth) of everything inside, no deeper than our readers go."""
    if depth > 30:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key, depth
        yield from _places(item, depth + 1)

"""This module checks an object against the annotations of the installed SDK: unknown key, missing key, wrong type,
foreign value.

Stripe generates those annotations from its own description of the API, so they are a contract that needs no network.
An optional annotation may be null or absent: the SDK does not tell the two apart.
"""

import functools
import importlib
import inspect
import typing
from collections.abc import Iterator
from typing import Any

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES, V2_OBJECT_CLASSES
from stripe._stripe_object import UntypedStripeObject
from stripe.events._event_classes import get_v2_event_class

from .annotations import NONE, is_literal, is_optional, is_union, resolve


def problems(obj: dict[str, Any]) -> list[str]:
    """Return every way in which an API object departs from its class in the SDK; empty when it conforms."""
    cls = class_of(str(obj.get("object")))
    if obj.get("object") == "v2.core.event":
        cls = get_v2_event_class(str(obj["type"]))
    if cls is None:
        return [f"object: the SDK knows no {obj.get('object')!r}"]
    if obj.get("deleted") is True and obj["object"] != "discount":
        return [f"{obj['object']}.{name}: unknown key" for name in obj.keys() - {"id", "object", "deleted"}]
    found = list(_fields(obj, cls, str(obj["object"])))
    if obj["object"] == "event":
        found += problems(obj["data"]["object"])
    return found


def is_thin_event(kind: str) -> bool:
    """Return whether the SDK knows a thin event of this type."""
    return get_v2_event_class(kind) is not StripeObject


@functools.cache
def class_of(object_name: str) -> type | None:
    known = {**OBJECT_CLASSES, **V2_OBJECT_CLASSES}
    if object_name not in known:
        return None
    module, name = known[object_name]
    return getattr(importlib.import_module(module), name)


@functools.cache
def fields_of(cls: type) -> dict[str, Any]:
    """Return the resolved annotations by name, those of base classes included."""
    fields: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, StripeObject) or base is StripeObject:
            continue
        for name, hint in inspect.get_annotations(base).items():
            origin: Any = typing.get_origin(hint)
            if not name.startswith("_") and origin is not typing.ClassVar:
                fields[name] = resolve(hint, base.__module__)
    if cls.__dict__.get("OBJECT_NAME"):
        fields.setdefault("object", str)
    return fields


def _fields(value: dict[str, Any], cls: type, path: str) -> Iterator[str]:
    fields = fields_of(cls)
    for name in value.keys() - fields.keys():
        yield f"{path}.{name}: unknown key"
    for name, hint in fields.items():
        if name in value:
            yield from _value(value[name], hint, f"{path}.{name}")
        elif not is_optional(hint):
            yield f"{path}.{name}: missing key"


def _value(value: Any, hint: Any, path: str) -> Iterator[str]:
    origin = typing.get_origin(hint)
    if is_union(hint):
        yield from _union(value, typing.get_args(hint), path)
    elif is_literal(hint):
        if value not in typing.get_args(hint):
            yield f"{path}: {value!r} is not one of its values"
    elif origin is list:
        yield from _list(value, typing.get_args(hint)[0], path)
    elif origin is ListObject:
        yield from _list_object(value, typing.get_args(hint)[0], path)
    elif origin is dict or origin is UntypedStripeObject:
        yield from _mapping(value, typing.get_args(hint)[-1], path)
    elif isinstance(hint, type) and issubclass(hint, StripeObject):
        yield from _object(value, hint, path)
    elif not _is_scalar(value, hint):
        yield f"{path}: {value!r} is not {getattr(hint, '__name__', hint)}"


def _union(value: Any, choices: tuple[Any, ...], path: str) -> Iterator[str]:
    """Check a value against a union. A literal beside `str` is an open enum: only the values that the SDK names count
    as Stripe's."""
    is_enum = any(is_literal(choice) for choice in choices)
    closed = [choice for choice in choices if not (choice is str and is_enum)]
    tries = [list(_value(value, choice, path)) for choice in closed if choice is not NONE]
    if (value is None and NONE in choices) or any(not found for found in tries):
        return
    if isinstance(value, dict):
        yield from min((found for found in tries), key=len)
    else:
        yield f"{path}: {value!r} fits none of its types or values"


def _list(value: Any, item: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is not a list"
        return
    for index, entry in enumerate(value):
        yield from _value(entry, item, f"{path}[{index}]")


def _list_object(value: Any, item: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        yield f"{path}: not a list object"
        return
    for name in {"data", "has_more", "url"} - value.keys():
        yield f"{path}.{name}: missing key"
    for name in value.keys() - {"object", "data", "has_more", "url"}:
        yield f"{path}.{name}: unknown key"
    yield from _list(value.get("data"), item, f"{path}.data")


def _mapping(value: Any, item: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not an object"
        return
    for name, entry in value.items():
        yield from _value(entry, item, f"{path}.{name}")


def _object(value: Any, cls: type, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not an object"
        return
    named = value.get("object")
    if isinstance(named, str) and "OBJECT_NAME" in cls.__dict__ and cls.__dict__["OBJECT_NAME"] != named:
        yield f"{path}: a {named} where a {cls.__dict__['OBJECT_NAME']} belongs"
        return
    yield from _fields(value, cls, path)


def _is_scalar(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if getattr(hint, "__name__", "") == "Decimal":
        return isinstance(value, str)
    return isinstance(hint, type) and isinstance(value, hint)

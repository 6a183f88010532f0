"""The contract holds a request to the SDK's parameter types, and refuses what is unknown, missing, badly typed or
foreign."""

import functools
import importlib
import typing
from typing import Any

from stripe import RequestOptions

from ..errors import ApiError, invalid, missing_parameter, not_covered, unknown_parameter
from . import metadata, numbers, values
from .annotations import is_literal, is_union, resolve
from .neutral import is_neutral

NONE: frozenset[str] = frozenset()
LONGEST = 5000
# Stripe lists these choices in an order of its own, all others by the alphabet.
IN_ORDER = (
    ("none", "reverse", "exempt"),
    ("month", "year", "week", "day"),
    ("metered", "licensed"),
    ("inclusive", "exclusive", "unspecified"),
)
NOT_SENT = frozenset(RequestOptions.__annotations__)
Params = dict[str, Any]
CLEARS = typing.Literal[""]


def validate(raw: dict[str, Any], name: str, covered: frozenset[str], tolerated: frozenset[str] = NONE) -> Params:
    """Return `raw` as typed values by the SDK's TypedDict `name`, and of it what is in `covered`.

    Everything else is refused, but for values that change nothing. `tolerated` parameters are handed on as they are
    where the SDK does not know them, and not missed where it demands them.
    """
    cls = params_class(name)
    if not raw and not _demands(cls):
        return {}
    unknown = {key: value for key, value in raw.items() if key in tolerated and key not in fields_of(cls)}
    given = {key: value for key, value in raw.items() if key not in unknown}
    _refuse_unknown(given, cls, "")
    return {**unknown, **only_covered(_typed_dict(given, cls, "", tolerated), covered, "")}


@functools.cache
def params_class(name: str) -> type:
    family, _, last = name.rpartition(".")
    found: type = getattr(importlib.import_module(f"stripe.params.{family}".rstrip(".")), last)
    return found


@functools.cache
def _demands(cls: type) -> bool:
    return any(is_required for _, is_required in fields_of(cls).values())


@functools.cache
def fields_of(cls: type) -> dict[str, tuple[Any, bool]]:
    """Return name → (resolved type, whether it is required)."""
    fields = {}
    for name, hint in cls.__annotations__.items():
        origin: Any = typing.get_origin(hint)
        required = origin is not typing.NotRequired
        inner = hint if required else typing.get_args(hint)[0]
        if name not in NOT_SENT:
            fields[name] = (resolve(inner, cls.__module__), required)
    return fields | _untyped(cls)


def _untyped(cls: type) -> dict[str, tuple[Any, bool]]:
    """Stripe takes a card in `payment_method_data` as where a payment method is made; the SDK's types leave it out."""
    if not cls.__name__.endswith("ParamsPaymentMethodData"):
        return {}
    made = fields_of(params_class("PaymentMethodCreateParams"))
    return {"card": made["card"], "type": (made["type"][0], True)}


def _refuse_unknown(raw: Any, hint: Any, path: str) -> None:
    """Refuse a name that the type does not have, however deep: Stripe does before it looks at any value."""
    if is_union(hint):
        structured = [choice for choice in typing.get_args(hint) if _is_structured(choice)]
        if len(structured) == 1:
            _refuse_unknown(raw, structured[0], path)
    elif typing.get_origin(hint) is list:
        entries = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
        for index, entry in entries:
            _refuse_unknown(entry, typing.get_args(hint)[0], _join(path, str(index)))
    elif hasattr(hint, "__required_keys__") and isinstance(raw, dict):
        fields = fields_of(hint)
        for name, value in raw.items():
            if name not in fields:
                raise unknown_parameter(_join(path, name))
            _refuse_unknown(value, fields[name][0], _join(path, name))


def _is_structured(hint: Any) -> bool:
    return typing.get_origin(hint) in (list, dict) or hasattr(hint, "__required_keys__")


def _typed_dict(raw: Any, cls: type, path: str, tolerated: frozenset[str] = NONE) -> Params:
    fields = fields_of(cls)
    if raw == "" and path and not fields:
        return {}  # the only way in which a form can say `{}`
    if not isinstance(raw, dict):
        raise invalid("Invalid object", path)
    for name in raw:
        if name not in fields:
            raise unknown_parameter(_join(path, name))
    for name, (_, required) in fields.items():
        if required and name not in raw and name not in tolerated:
            raise missing_parameter(_join(path, name))
        if required and raw.get(name) == "" and name not in tolerated:
            raise values.empty(_join(path, name))
    for name, value in raw.items():
        values.check(name, value, _join(path, name))
    return {name: coerce(value, fields[name][0], _join(path, name)) for name, value in raw.items()}


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def coerce(value: Any, hint: Any, path: str) -> Any:
    origin = typing.get_origin(hint)
    if is_union(hint):
        return _union(value, typing.get_args(hint), path)
    if is_literal(hint):
        return _literal(value, typing.get_args(hint), path)
    if origin is list:
        return _list(value, typing.get_args(hint)[0], path)
    if origin is dict or getattr(origin, "__name__", "") == "UntypedStripeObject":
        return _mapping(value, typing.get_args(hint)[-1], path)
    if hasattr(hint, "__required_keys__"):
        return _typed_dict(value, hint, path)
    return _scalar(value, hint, path)


def _union(value: Any, choices: tuple[Any, ...], path: str) -> Any:
    """Return the first type that takes the value. A literal beside `str` is a closed list, except the lone '' that
    clears."""
    named = [v for c in choices if is_literal(c) for v in typing.get_args(c) if v != ""]
    refused: ApiError | None = None
    for choice in sorted(choices, key=_strictness):
        if choice is str and named:
            continue
        try:
            return coerce(value, choice, path)
        except ApiError as error:
            if choice != CLEARS and (refused is None or _is_structured(choice) == isinstance(value, dict)):
                refused = error
    if named and isinstance(value, str):
        raise _foreign(named, path)
    raise refused or invalid(f"Invalid value: {path}", path)


def _strictness(choice: Any) -> int:
    return 2 if choice is str else 0 if is_literal(choice) else 1


def _literal(value: Any, allowed: tuple[Any, ...], path: str) -> Any:
    for choice in allowed:
        if value == choice or (isinstance(choice, bool) and value == str(choice).lower()):
            return choice
    raise _foreign(list(allowed), path)


def _foreign(allowed: list[Any], path: str) -> ApiError:
    names = [str(choice) for choice in allowed if choice != ""]
    order = next((order for order in IN_ORDER if set(order) == set(names)), names)
    return invalid(f"Invalid {path}: must be one of {_either(list(order))}", path)


def _either(names: list[str]) -> str:
    """Return the names as Stripe lists alternatives: "a or b", "a, b, or c"."""
    if len(names) < 3:
        return " or ".join(names)
    return f"{', '.join(names[:-1])}, or {names[-1]}"


def _list(value: Any, item: Any, path: str) -> list[Any]:
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        value = [value[key] for key in sorted(value, key=int)]
    if not isinstance(value, list):
        raise invalid("Invalid array", path)
    return [coerce(entry, item, f"{path}[{index}]") for index, entry in enumerate(value)]


def _mapping(value: Any, item: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid("Invalid object", path)
    if metadata.is_named(path):
        metadata.check(value, path)
    return {key: coerce(entry, item, f"{path}[{key}]") for key, entry in value.items()}


BOOLEANS = {"true": True, "false": False}


def _scalar(value: Any, hint: Any, path: str) -> Any:
    if isinstance(value, dict | list):
        raise invalid(f"Invalid value: {path} must be a single value", path)
    kind = getattr(hint, "__name__", "str")
    if kind == "bool" and value not in BOOLEANS:
        raise invalid(f"Invalid boolean: {value}", path)
    if kind == "bool":
        return BOOLEANS[value]
    if kind == "int":
        return numbers.whole(str(value), path.rpartition("[")[2].rstrip("]"), path)
    if kind == "float":
        return numbers.real(str(value), path)
    if kind == "Decimal":
        return numbers.decimal(str(value), path)
    return _text(str(value), path)


def _text(value: str, path: str) -> str:
    if len(value) > LONGEST:
        raise invalid(f"Invalid string: {value[:4]}...{value[-4:]}; must be at most {LONGEST} characters", path)
    return value


def only_covered(params: Params, covered: frozenset[str], prefix: str) -> Params:
    """Return the parameters that the sandbox acts on; raise for the first other one that would change something."""
    kept = {}
    for name, value in params.items():
        dotted = prefix + name
        if dotted in covered:
            kept[name] = value
        elif any(entry.startswith(dotted + ".") for entry in covered):
            kept[name] = _inside(value, covered, dotted + ".")
        elif not is_neutral(dotted, value):
            raise not_covered(dotted)
    return kept


def _inside(value: Any, covered: frozenset[str], prefix: str) -> Any:
    if isinstance(value, list):
        return [_inside(entry, covered, prefix) for entry in value]
    return only_covered(value, covered, prefix) if isinstance(value, dict) else value

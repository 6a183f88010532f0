"""This module checks requests to the control plane: JSON, whole numbers, settings within reason."""

import json
from typing import Any

from .errors import invalid
from .store import SETTINGS

Body = dict[str, Any]
LARGEST = 2**32 - 1
LONGEST_DAYS, LONGEST_SECONDS = 3_650, 10 * 366 * 86400


def read(body: bytes) -> Body:
    if not body.strip():
        return {}
    try:
        given = json.loads(body, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise invalid("The control plane takes JSON: this body is not.") from None
    if not isinstance(given, dict):
        raise invalid("The control plane takes a JSON object.")
    return given


def _refused(constant: str) -> None:
    """Refuse NaN and the infinities, which are no JSON either."""
    raise ValueError(constant)


def known(given: Body, *names: str) -> Body:
    for name in given.keys() - set(names):
        raise invalid(
            f"Received unknown parameter: {name}. Known: {', '.join(names) or 'none'}.", name, "parameter_unknown"
        )
    return given


def whole(given: Body, name: str, default: int | None = None, least: int = 0) -> int:
    value = given.get(name, default)
    if value is None:
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= LARGEST or value != int(value):
        raise invalid(f"{name} must be a whole number, at least {least} and at most {LARGEST}.", name)
    return int(value)


def text(given: Body, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    return value


def optional_text(given: Body, name: str) -> str | None:
    return text(given, name) if given.get(name) is not None else None


def check_setting(name: str, value: Any) -> None:
    default, longest = SETTINGS[name], LONGEST_DAYS if name.endswith("_days") else LONGEST_SECONDS
    if isinstance(default, list):
        if not isinstance(value, list) or not all(_is_between(n, longest) for n in value):
            raise invalid(f"{name} must be a list of numbers up to {longest}.", name)
    elif name == "after_last_retry":
        if value not in ("cancel", "unpaid", "past_due"):
            raise invalid("after_last_retry must be cancel, unpaid or past_due.", name)
    elif isinstance(default, bool) != isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"{name} must be like {json.dumps(default)}.", name)
    elif not 0 <= value <= longest:
        raise invalid(f"{name} must be a number up to {longest}.", name)


def _is_between(value: Any, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most

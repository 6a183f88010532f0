"""The webhook door accepts only JSON that every later reader of an event can handle.

Python, PostgreSQL's jsonb and SQLite's JSON differ on what lies outside of these bounds. Stripe's own events are far
inside: ten levels deep, integers of 64 bits, no name twice in an object.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

MOST_LEVELS = 64
INT64 = 2**63
MOST_DIGITS = 20  # with the sign, an integer of 64 bits has no more


class NotBearable(ValueError):
    """The text is not JSON, or is JSON that no reader of events can handle; `code` is stable, the text a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def parse(text: str) -> Any:
    """Return the value of a JSON text. Raises NotBearable."""
    try:
        value = json.loads(
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
    check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Raise NotBearable for a value of more than 64 lists and objects inside each other."""
    level = [value] if _is_container(value) else []
    for _ in range(MOST_LEVELS):
        if not level:
            return
        level = [item for container in level for item in _inside(container) if _is_container(item)]
    if level:
        raise _too_deep()


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _inside(container: Any) -> Iterator[Any]:
    return iter(container.values() if isinstance(container, dict) else container)


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

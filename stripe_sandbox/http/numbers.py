"""Numbers are read as Stripe writes them: plain digits, no larger than Stripe takes them, instants in seconds.

**Assumed**: the bounds, save for the 730 days of a trial, which are documented.
"""

import re

from ..errors import ApiError, invalid

WHOLE = re.compile(r"-?[0-9]{1,12}")
FLOAT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?")
DECIMAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]*)?([eE]-?[0-9]{1,2})?")
INSTANT = re.compile(r"(.*_)?(at|date|end|start|anchor|time|by|timestamp)")
LAST_INSTANT = 2**32 - 1  # in the year 2106
MOST = {
    "trial_period_days": 730,
    "days_until_due": 36_500,
    "days_before": 36_500,
    "duration_in_months": 1_200,
    "quantity": 1_000_000_000,
}


def whole(text: str, name: str, path: str) -> int:
    """Return the integer that a parameter says. `name` is the last part of its path."""
    if not WHOLE.fullmatch(text):
        raise _ill(text, path, "integer")
    number = int(text)
    if INSTANT.fullmatch(name) and not 0 <= number <= LAST_INSTANT:
        raise invalid(f"Invalid timestamp: {text}. It is in seconds since 1970, and before 2106.", path)
    if name in MOST and number < 0:
        raise invalid("Invalid non-negative integer", path, "parameter_invalid_integer")
    if name in MOST and not 0 <= number <= MOST[name]:
        most = f"{MOST[name]} days" if name.endswith("_days") else MOST[name]
        raise invalid(f"Invalid {name}: must be between 0 and {most}.", path, "parameter_invalid_integer")
    return number


def real(text: str, path: str) -> float:
    if not FLOAT.fullmatch(text):
        raise _ill(text, path, "decimal")
    return float(text)


def decimal(text: str, path: str) -> str:
    """Return the decimal as it is written: it is exact."""
    if not DECIMAL.fullmatch(text):
        raise _ill(text, path, "decimal")
    return text


def _ill(text: str, path: str, kind: str) -> ApiError:
    return invalid(f"Invalid {kind}: {text[:100]}", path, "parameter_invalid_integer" if kind == "integer" else None)

"""A subscription's billing cycle is anchored at a date that is given, or at the next one of a description.

Source: https://docs.stripe.com/billing/subscriptions/billing-cycle. Assumed: a time of day that is not given is that of
the request; on a day that the next month lacks the cycle is anchored in the month after it, and is billed on the last
day of the month before.
"""

import calendar
from datetime import UTC, datetime
from typing import Any

from ..errors import invalid

PARTS = ("day_of_month", "hour", "minute", "month", "second")
LARGEST = {"day_of_month": 31, "hour": 23, "minute": 59, "month": 12, "second": 59}


def read(given: dict[str, Any], now: int, intervals: set[str], trial_end: object = None) -> dict[str, Any]:
    """Return the options that anchor a new subscription: none where nothing is asked for."""
    config = given.get("billing_cycle_anchor_config")
    if config and "billing_cycle_anchor" in given:
        raise invalid(
            "You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.",
            "billing_cycle_anchor_config",
        )
    if not config and not isinstance(given.get("billing_cycle_anchor"), int):
        return {}
    anchor = next_time(config, now, intervals) if config else int(given["billing_cycle_anchor"])
    if anchor <= now:
        raise invalid("`billing_cycle_anchor` must be in the future.", "billing_cycle_anchor")
    if isinstance(trial_end, int) and trial_end > anchor:
        raise invalid("The trial must end before the `billing_cycle_anchor`.", "trial_end")
    shown = {name: config.get(name) for name in PARTS} if config else None
    return {"billing_cycle_anchor": anchor, "billing_cycle_anchor_config": shown}


def next_time(config: dict[str, Any], now: int, intervals: set[str]) -> int:
    """Return the next instant that the description names."""
    for name, value in config.items():
        least = 1 if name in ("day_of_month", "month") else 0
        if not least <= value <= LARGEST[name]:
            raise invalid(f"Invalid {name}: must be between {least} and {LARGEST[name]}.",
                          f"billing_cycle_anchor_config[{name}]")  # fmt: skip
    if not intervals <= {"month", "year"}:
        raise invalid("`billing_cycle_anchor_config` goes with monthly and yearly prices only.",
                      "billing_cycle_anchor_config")  # fmt: skip
    begin = datetime.fromtimestamp(now, UTC)
    clock = {name: config.get(name, getattr(begin, name)) for name in ("hour", "minute", "second")}
    day, month = config["day_of_month"], config.get("month")
    if month and day > calendar.monthrange(2000, month)[1]:
        raise invalid("The `month` has no such `day_of_month`.", "billing_cycle_anchor_config[day_of_month]")
    for count in range(8 * 12 + 1):
        year, index = divmod(begin.year * 12 + begin.month - 1 + count, 12)
        if day <= calendar.monthrange(year, index + 1)[1] and month in (None, index + 1):
            found = int(begin.replace(year=year, month=index + 1, day=day, **clock).timestamp())
            if found > now:
                return found
    raise invalid("There is no such date.", "billing_cycle_anchor_config")

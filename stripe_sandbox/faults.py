"""A fault makes something go wrong on purpose, with a probability (a fraction; 1.0 is always) or a count (whole: the
next n)."""

import random
from typing import Any

from .errors import invalid

WEBHOOKS = {"duplicate", "shuffle", "drop", "delay_ms", "stale_signature", "bad_signature"}
API = {"latency_ms", "fail_next", "status", "retry_after", "lose_answer"}

LONGEST_MS = 600_000


class Faults:
    def __init__(self) -> None:
        self.webhooks: dict[str, Any] = {}
        self.api: dict[str, Any] = {}
        self.random = random.Random(1)

    def set(self, wanted: dict[str, Any]) -> None:
        for group, known in (("webhooks", WEBHOOKS), ("api", API)):
            _check(group, wanted.get(group, {}), known)
        for name in wanted.keys() - {"webhooks", "api"}:
            raise invalid(f"No such faults: {name} (webhooks and api are known).", name)
        self.webhooks = dict(wanted.get("webhooks", {}))
        self.api = dict(wanted.get("api", {}))

    def shown(self) -> dict[str, Any]:
        return {"webhooks": self.webhooks, "api": self.api}

    def strikes(self, group: dict[str, Any], name: str) -> bool:
        """Return whether the fault happens this time; a count goes down."""
        value = group.get(name, 0)
        if isinstance(value, int):
            if value > 0:
                group[name] = value - 1
            return value > 0
        return self.random.random() < value


def _check(group: str, values: Any, known: set[str]) -> None:
    if not isinstance(values, dict):
        raise invalid(f"{group} must be an object.", group)
    for name, value in values.items():
        if name not in known:
            raise invalid(f"No such fault: {group}.{name} ({', '.join(sorted(known))} are known).", name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise invalid(f"{group}.{name} must be a number that is not negative.", name)
        if isinstance(value, float) and name not in {"latency_ms", "delay_ms", "retry_after"} and value > 1:
            raise invalid(f"{group}.{name} must be a probability up to 1.0 or a whole count.", name)
        if name == "status" and not 400 <= value <= 599:
            raise invalid("api.status must be a status of a failure, from 400 to 599.", name)
        if name.endswith("_ms") and value > LONGEST_MS:
            raise invalid(f"{group}.{name} must be at most {LONGEST_MS}.", name)

"""Stripe's objects, watched: which fields of which object the code of `billing` reads."""

import sys
from pathlib import Path

from billing import payments
from billing.events import ledger, placement
from billing.payments import notices, refunds

BILLING = Path(__file__).resolve().parents[1]
# What fills dj-stripe's tables copies whatever dj-stripe has a column for, and nothing of ours hangs on it.
# Parsing looks for ids under every name that any object may have, and does nothing else with them.
COPIERS = (
    "stripe_client/fields.py",
    "subscriptions/mirror.py",
    "subscriptions/mirror_plain.py",
    "events/parsing.py",
)
NOT_OURS = tuple(BILLING / name for name in ("tests", "testing", *COPIERS))
assert all(path.exists() for path in NOT_OURS)

# Who is handed an event's object.
EVENT_READERS = (
    (payments, "record_failure"),
    (notices, "alert_not_finalized"),
    (notices, "alert_fraud_warning"),
    (refunds, "charge_of"),
    (ledger, "lane_of"),
    (placement, "names_of"),
)


def watch_event_readers(monkeypatch, reads):
    def watch(module, name):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args: real(*(spied(argument, reads) for argument in args)))

    for module, name in EVENT_READERS:
        watch(module, name)


class Spied(dict):
    """An object as Stripe sent it that notes each read as (object, dotted path); a list is walked through."""

    def __init__(self, obj, reads, at=("", "")):
        self.reads = reads
        self.at = (obj["object"], "") if isinstance(obj.get("object"), str) else at
        super().__init__({name: spied(value, reads, self._path(name)) for name, value in obj.items()})

    def __getitem__(self, name):
        self._note(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self._note(name)
        return super().get(name, default)

    def _note(self, name):
        if _is_ours(sys._getframe(2).f_code.co_filename):
            self.reads.add(self._path(name))

    def _path(self, name):
        kind, path = self.at
        return kind, f"{path}.{name}".lstrip(".")


def spied(value, reads, at=("", "")):
    if isinstance(value, list):
        return [spied(each, reads, at) for each in value]
    return Spied(value, reads, at) if isinstance(value, dict) else value


def _is_ours(filename):
    path = Path(filename)
    return path.is_relative_to(BILLING) and not any(path.is_relative_to(other) for other in NOT_OURS)

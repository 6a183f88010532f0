"""Threads in the background deliver signed events, in a line for each target, with retries and the faults of the
network."""

import hashlib
import heapq
import hmac
import http.client
import json
import random
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from . import thin_events
from .events import has_form, shown, targets
from .faults import Faults
from .store import Object, State

HOLD_SECONDS = 0.3
TIMEOUT = 20.0
STALE_BY = 3600


@dataclass(order=True)
class Delivery:
    due: float
    number: int
    event: Object = field(compare=False)
    attempt: int = field(compare=False, default=1)
    copy: int = field(compare=False, default=1)


class Dispatcher:
    """The dispatcher hands events to the line of each target; `idle` is notified whenever a delivery ends."""

    def __init__(self, state: State, faults: Faults, lock: threading.RLock) -> None:
        self.state, self.faults, self.lock = state, faults, lock
        self.lines: dict[str, Line] = {}
        self.idle = threading.Condition()

    def take(self) -> None:
        """Take new events over from the state. The caller holds the state's lock."""
        published, self.state.published = self.state.published, []
        if not published:
            return
        for target in targets(self.state):
            wanted = [event for event in published if thin_events.is_for(self.state, target, event)]
            if wanted:
                self._line(target).add(wanted)

    def resume(self) -> None:
        """Deliver, after a restart, what was still to be tried; the caller holds the state's lock."""
        tried = Counter((row["event"], row["url"]) for row in self.state.deliveries)
        most = len(self.state.settings["delivery_retry_seconds"]) + 1
        for kind in ("event", thin_events.KIND):
            for event in self.state.table(kind).rows.values():
                for target in self._waiting_for(event):
                    if tried[event["id"], target["url"]] < most:
                        self._line(target).add([event])

    def _waiting_for(self, event: Object) -> list[dict[str, Any]]:
        told = self.state.notes.get(event["id"], {}) if event["object"] == thin_events.KIND else event
        if not told.get("pending_webhooks"):
            return []
        reached = told.get("reached", [])
        return [
            target
            for target in targets(self.state)
            if target["id"] not in reached and thin_events.is_for(self.state, target, event)
        ]

    def deliver(self, event: Object) -> int:
        found = [target for target in targets(self.state) if has_form(target, event["type"])]
        for target in found:
            self._line(target).add([event])
        return len(found)

    def _line(self, target: dict[str, Any]) -> "Line":
        line = self.lines.get(target["id"])
        if line is None:
            line = self.lines[target["id"]] = Line(self)
            line.start()
        line.target = target
        return line

    def pending(self) -> int:
        return sum(line.pending() for line in list(self.lines.values()))

    def settle(self, timeout: float) -> int:
        """Wait, without the state's lock, until nothing is waiting or under way; return how many still are."""
        end = time.monotonic() + timeout
        with self.idle:
            while (left := self.pending()) and time.monotonic() < end:
                self.idle.wait(min(0.05, max(0.001, end - time.monotonic())))
        return left

    def forget(self, state: State) -> None:
        for line in self.lines.values():
            line.clear()
        self.state = state

    def stop(self) -> None:
        for line in self.lines.values():
            line.stop()
        for line in self.lines.values():
            line.join(1)

    def record(self, delivery: Delivery, target: dict[str, Any], status: int | None, note: str | None) -> None:
        row = delivery.event
        with self.lock:
            self.state.is_kept = False
            told = self.state.note(row["id"]) if row["object"] == thin_events.KIND else row
            if status is not None and 200 <= status < 300 and target["id"] not in told.get("reached", [target["id"]]):
                told["reached"].append(target["id"])
                told["pending_webhooks"] = max(0, told["pending_webhooks"] - 1)
                if not told["pending_webhooks"]:
                    self.state.undelivered.pop(row["id"], None)
            if self.state.find(row["object"], row["id"]) is None:
                return  # sent before a reset
            self.state.deliveries.append(
                {
                    "event": row["id"],
                    "type": row["type"],
                    "url": target["url"],
                    "attempt": delivery.attempt,
                    "copy": delivery.copy,
                    "status": status,
                    "error": note,
                    "at": round(time.time(), 3),
                }
            )


class Line(threading.Thread):
    """A line holds the deliveries of one target, one after another, by the time they are due."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(name="deliveries", daemon=True)
        self.dispatcher = dispatcher
        self.target: dict[str, Any] = {}
        self.queue: list[Delivery] = []
        self.batch: list[Delivery] = []
        self.flush_at: float | None = None
        self.under_way = 0
        self.number = 0
        self.stopped = False
        self.changed = threading.Condition()

    def add(self, events: list[Object]) -> None:
        faults = self.dispatcher.faults
        with self.changed:
            for event in events:
                copies = 2 if faults.strikes(faults.webhooks, "duplicate") else 1
                held = faults.strikes(faults.webhooks, "shuffle")
                for copy in range(1, copies + 1):
                    self._enqueue(event, copy, held)
            self.changed.notify()

    def _enqueue(self, event: Object, copy: int, held: bool) -> None:
        self.number += 1
        delay = self.dispatcher.faults.webhooks.get("delay_ms", 0) / 1000
        delivery = Delivery(time.monotonic() + delay, self.number, event, 1, copy)
        if not held:
            heapq.heappush(self.queue, delivery)
            return
        self.batch.append(delivery)
        self.flush_at = self.flush_at or time.monotonic() + HOLD_SECONDS

    def pending(self) -> int:
        with self.changed:
            return len(self.queue) + len(self.batch) + self.under_way

    def clear(self) -> None:
        with self.changed:
            self.queue, self.batch, self.flush_at = [], [], None

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.changed.notify()

    def run(self) -> None:
        while (delivery := self._next()) is not None:
            try:
                self._send(delivery)
            finally:
                with self.changed:
                    self.under_way -= 1
                with self.dispatcher.idle:
                    self.dispatcher.idle.notify_all()

    def _next(self) -> Delivery | None:
        with self.changed:
            while not self.stopped:
                now = time.monotonic()
                if self.flush_at is not None and self.flush_at <= now:
                    self._flush()
                if self.queue and self.queue[0].due <= now:
                    self.under_way += 1
                    return heapq.heappop(self.queue)
                due = [self.queue[0].due] if self.queue else []
                due += [self.flush_at] if self.flush_at is not None else []
                self.changed.wait(max(0.001, min(due) - now) if due else None)
        return None

    def _flush(self) -> None:
        for delivery in shuffled(self.batch, self.dispatcher.faults.random):
            self.number += 1
            delivery.number, delivery.due = self.number, max(delivery.due, self.flush_at or 0)
            heapq.heappush(self.queue, delivery)
        self.batch, self.flush_at = [], None

    def _send(self, delivery: Delivery) -> None:
        faults, target = self.dispatcher.faults, self.target
        if faults.strikes(faults.webhooks, "drop"):
            self.dispatcher.record(delivery, target, None, "dropped")
            return
        with self.dispatcher.lock:
            event = delivery.event
            payload = thin_events.notification(event) if event["object"] == thin_events.KIND else shown(event)
            body = json.dumps(payload, indent=2).encode()
        header = self._signature(body, target["secret"])
        status, note = post(target["url"], body, header)
        self.dispatcher.record(delivery, target, status, note)
        if status is None or not 200 <= status < 300:
            self._retry(delivery)

    def _signature(self, body: bytes, secret: str) -> str:
        faults, at = self.dispatcher.faults, int(time.time())
        if faults.strikes(faults.webhooks, "stale_signature"):
            at -= STALE_BY
        if faults.strikes(faults.webhooks, "bad_signature"):
            secret += "-forged"
        return signature(body, secret, at)

    def _retry(self, delivery: Delivery) -> None:
        waits = self.dispatcher.state.settings["delivery_retry_seconds"]
        if delivery.attempt > len(waits):
            return
        due = time.monotonic() + waits[delivery.attempt - 1]
        with self.changed:
            self.number += 1
            again = Delivery(due, self.number, delivery.event, delivery.attempt + 1, delivery.copy)
            heapq.heappush(self.queue, again)


def shuffled(batch: list[Delivery], chance: random.Random) -> list[Delivery]:
    """Return the deliveries in a random order in which a duplicate never directly follows its twin (unless there is
    nothing to put between)."""
    first = [d for d in batch if d.copy == 1]
    second = [d for d in batch if d.copy > 1]
    chance.shuffle(first)
    chance.shuffle(second)
    if len(second) > 1 and first[-1].event is second[0].event:
        second.append(second.pop(0))
    return first + second


def signature(body: bytes, secret: str, at: int) -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(url: str, body: bytes, header: str) -> tuple[int | None, str | None]:
    """Return the status answered, or why there was none."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": header,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Connection": "close",
    }
    try:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        with closing(kind(parts.netloc, timeout=TIMEOUT)) as connection:
            connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
            return connection.getresponse().status, None
    except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: no address at all
        return None, f"{type(error).__name__}: {error}"

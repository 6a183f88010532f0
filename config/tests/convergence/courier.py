"""Events brought to the door over HTTP: shuffled, some twice, some late, some not at all."""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

from billing.testing import sign

TWICE, LATE, LOST = 0.25, 0.15, 0.07


class Courier:
    def __init__(self, stripe, door, chance, secret):
        self.stripe, self.door, self.chance, self.secret = stripe, door, chance, secret
        self.known = set()
        self.events = []
        self.late = []
        self.lost = []
        self.under_way = []
        self.deliveries = 0
        self.kept = threading.local()
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="courier")

    def close(self):
        self.pool.shutdown()

    def collect(self):
        """Events that Stripe has made since the last time, oldest first."""
        found, page = [], {"has_more": True, "data": []}
        while page["has_more"]:
            after = {"starting_after": page["data"][-1]["id"]} if page["data"] else {}
            page = self.stripe.get("events", limit=100, **after)
            fresh = [event for event in page["data"] if event["id"] not in self.known]
            found += fresh
            if len(fresh) < len(page["data"]):
                break
        self.known |= {event["id"] for event in found}
        self.events += found[::-1]
        return found[::-1]

    def bring_in_disorder(self):
        """Send off what is new and what was late, and wait for nothing."""
        bag, self.late = self.late, []
        for event in self.collect():
            fate = self.chance.random()
            if fate < LOST:
                self.lost.append(event)
            elif fate < LOST + LATE:
                self.late.append(event)
            else:
                bag += [event, event] if self.chance.random() < TWICE else [event]
        self._send(bag)

    def bring_the_rest(self):
        """All that is new or late; what was lost stays so."""
        bag, self.late = self.late + self.collect(), []
        self._send(bag)
        self.wait()
        return len(bag)

    def find_the_lost(self):
        bag, self.lost = self.lost, []
        self._send(bag)
        self.wait()

    def wait(self):
        wait(self.under_way)
        for sent in self.under_way:
            sent.result()
        self.under_way = []

    def _send(self, bag):
        self.chance.shuffle(bag)
        self.deliveries += len(bag)
        self.under_way += [self.pool.submit(self._post, event) for event in bag]

    def _post(self, event):
        """Signed at this moment; sent again like Stripe does until it is stored."""
        body = json.dumps(event).encode()
        for _ in range(20):
            try:
                status = self._try(body)
            except (OSError, http.client.HTTPException):
                self.kept.connection, status = None, 0
            if status == 200:
                return
            time.sleep(0.1)
        raise AssertionError(f"the door answered {status} to {event['type']} {event['id']}")

    def _try(self, body):
        if getattr(self.kept, "connection", None) is None:
            self.kept.connection = http.client.HTTPConnection(self.door, timeout=30)
        headers = {"Content-Type": "application/json", "Stripe-Signature": sign(body, self.secret)}
        self.kept.connection.request("POST", "/api/v1/webhooks/stripe", body, headers)
        answer = self.kept.connection.getresponse()
        answer.read()
        return answer.status

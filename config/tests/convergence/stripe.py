"""Stripe as its other clients use it: the Dashboard, the bank, the buyer. They try again until they are answered."""

import http.client
import json
import threading
import time
import uuid
from urllib.parse import urlencode, urlsplit

KEY = "sk_test_" + "convergence" * 3
MOST_TRIES = 400


class Stripe:
    """Over one connection a thread. An object that Stripe refuses to make or change is `{"error": …}`."""

    def __init__(self, url):
        self.url = url
        self.kept = threading.local()

    def get(self, path, **params):
        return self._insist("GET", f"/v1/{path}?{urlencode(params)}")

    def post(self, path, **params):
        return self._insist("POST", f"/v1/{path}", urlencode(params), {"Idempotency-Key": str(uuid.uuid4())})

    def delete(self, path):
        return self._insist("DELETE", f"/v1/{path}")

    def all(self, path, **params):
        """A whole list, newest first."""
        found, page = [], {"has_more": True, "data": []}
        while page["has_more"]:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = self.get(path, limit=100, **params, **after)
            found += page["data"]
        return found

    def control(self, path, **body):
        """Ask the sandbox itself, which meets no faults."""
        status, answer = self._ask("POST", f"/_sandbox/{path}", json.dumps(body), {})
        assert status < 500, answer
        return answer

    def now(self):
        return self._ask("GET", "/_sandbox/", None, {})[1]["now"]

    def _insist(self, method, path, body=None, headers=()):
        """Asked again, with the same idempotency key, after what Stripe says is no answer yet."""
        form = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
        for _ in range(MOST_TRIES):
            try:
                status, answer = self._ask(method, path, body, {**form, **dict(headers)})
            except (OSError, http.client.HTTPException):
                self.kept.connection = None
                continue
            if status not in (409, 429) and status < 500:
                return answer
            time.sleep(0.02)
        raise AssertionError(f"{method} {path} was never answered: {answer}")

    def _ask(self, method, path, body, headers):
        connection = getattr(self.kept, "connection", None)
        if connection is None:
            connection = self.kept.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

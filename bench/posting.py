"""This module posts signed events over connections that stay open."""

import http.client
import time
from threading import local

from bench.running import HTTPS, netloc
from bench.story import sign

Headers = dict[str, str]


def headers(body: bytes) -> Headers:
    return {**HTTPS, "Content-Type": "application/json", "Stripe-Signature": sign(body)}


class Poster:
    """Post over one connection for each thread."""

    def __init__(self, base: str) -> None:
        self.netloc, self.local = netloc(base), local()

    def post(self, path: str, body: bytes, signed: Headers | None = None) -> float:
        """Post the event; return the seconds until the answer."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.netloc, timeout=120)
        sent = signed or headers(body)
        began = time.perf_counter()
        self.local.connection.request("POST", path, body, sent)
        answer = self.local.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {text[:300]!r}")
        return time.perf_counter() - began

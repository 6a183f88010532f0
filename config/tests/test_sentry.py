"""Sentry gets the error and where it arose from a process that was given SENTRY_DSN, not who or with what."""

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

FAILING = """
import io, json, logging
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
import sentry_sdk
from billing import conf, testing
from billing.events import ledger

def breaks(*args, **kwargs):
    logging.getLogger("host").error("no shelf for ada@example.com")
    raise RuntimeError("no shelf for ada@example.com with sk_test_" + "x" * 24)

ledger.record = breaks
event = testing.event("invoice.paid", {"id": "in_1", "customer": "cus_1", "customer_email": "ada@example.com"})
body = json.dumps(event).encode()
answered = []
application(
    {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/webhooks/stripe", "QUERY_STRING": "session=abc123",
        "SERVER_NAME": "testserver", "SERVER_PORT": "80", "REMOTE_ADDR": "192.0.2.7", "CONTENT_LENGTH": str(len(body)),
        "HTTP_COOKIE": "sessionid=abc123", "HTTP_X_ODD": "odd-header", "wsgi.url_scheme": "http",
        "HTTP_STRIPE_SIGNATURE": testing.sign(body, conf.conf.webhook_secrets[0]), "wsgi.input": io.BytesIO(body),
    },
    lambda status, headers, *exc_info: answered.append(status),
)
assert answered == ["500 Internal Server Error"], answered
sentry_sdk.flush(10)
"""


class Sentry(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Envelopes)
        self.events = []
        self.raw = ""


class Envelopes(BaseHTTPRequestHandler):
    """Sentry's envelope endpoint: a header line, then a header and a payload for each item."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.raw += body.decode() + json.dumps(dict(self.headers))
        lines = body.decode().splitlines()
        for header, payload in zip(lines[1::2], lines[2::2], strict=True):
            if json.loads(header)["type"] == "event":
                self.server.events.append((self.path, json.loads(payload)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def sentry():
    with Sentry() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_error_at_the_door_is_told_without_body_headers_or_person(sentry, tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ALLOWED_HOSTS": "testserver",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "SENTRY_DSN": f"http://public@127.0.0.1:{sentry.server_address[1]}/42",
    }
    root = Path(__file__).resolve().parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", FAILING], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [(path, event)] = [found for found in sentry.events if "exception" in found[1]]
    assert path == "/api/42/envelope/"
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", "no shelf for [redacted] with [redacted]")
    assert event["request"] == {"method": "POST", "url": "http://testserver/api/v1/webhooks/stripe"}
    [logged] = [found for _, found in sentry.events if found.get("logger") == "host"]
    assert logged["tags"]["stripe_event"].startswith("evt_test_")
    assert all("vars" not in frame for frame in error["stacktrace"]["frames"])
    for secret in ("ada@example.com", "odd-header", "abc123", "192.0.2.7", "v1=", "customer_email", "x" * 24, "whsec_"):
        assert secret not in sentry.raw, secret

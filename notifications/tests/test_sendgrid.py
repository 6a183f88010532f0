"""The SendGrid backend against a server on loopback that answers as SendGrid's v3 mail/send does."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from billing.tests.mailing import send_by
from notifications import outbox
from notifications.models import Mail

KEY = "SG.not-a-real-key.for-tests-only"
Status = Mail.Status
pytestmark = pytest.mark.django_db


class SendGrid(ThreadingHTTPServer):
    """Answers with what `answers` holds, 202 once that is used up, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SendGridHandler)
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.hang_up = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v3/"


class SendGridHandler(BaseHTTPRequestHandler):
    server: SendGrid

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers["Authorization"], body))
        if self.server.hang_up:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, answer = self.server.answers.pop(0) if self.server.answers else (202, {})
        content = json.dumps(answer).encode() if answer else b""
        self.send_response(status)
        self.send_header("X-Message-Id", "mid-1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def sendgrid(settings):
    with SendGrid() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        send_by(settings, "anymail.backends.sendgrid.EmailBackend")
        settings.ANYMAIL = {"SENDGRID_API_KEY": KEY, "SENDGRID_API_URL": server.url, "REQUESTS_TIMEOUT": 5}
        yield server
        server.shutdown()
        thread.join()


def refusal(message):
    return {"errors": [{"message": message, "field": None, "help": None}]}


def test_a_mail_reaches_sendgrid_whole(reserve, work, sendgrid, settings):
    settings.DEFAULT_FROM_EMAIL = "Acme <billing@acme.example>"
    mail = reserve()
    assert work() == [Status.SENT]
    [(path, authorization, body)] = sendgrid.requests
    assert (path, authorization) == ("/v3/mail/send", f"Bearer {KEY}")
    [to] = body["personalizations"]
    assert to["to"] == [{"email": "alice@example.com"}]
    assert body["from"] == {"name": "Acme", "email": "billing@acme.example"}
    assert body["subject"] == "Payment received: $19.00"
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    mail.refresh_from_db()
    assert body["custom_args"] == {"mail": mail.key, "message": mail.message_id}
    assert body["headers"]["Message-ID"] == mail.message_id
    assert mail.provider_id == to["custom_args"]["anymail_id"], "what SendGrid's events will name it by"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_at_sendgrid_is_tried_again_later(reserve, work, later, sendgrid, status):
    mail = reserve()
    sendgrid.answers.append((status, refusal("try later")))
    assert work() == [Status.QUEUED]
    mail.refresh_from_db()
    assert f"{status}" in mail.error
    later(minutes=2)
    assert work() == []
    outbox.sweep()
    assert work() == [Status.SENT]
    assert len(sendgrid.requests) == 2


def test_what_sendgrid_refuses_has_failed_at_once_and_says_why(reserve, work, sendgrid):
    mail = reserve()
    sendgrid.answers.append((400, refusal("Does not contain a valid address.")))
    assert work() == [Status.FAILED]
    mail.refresh_from_db()
    assert "Does not contain a valid address." in mail.error


def test_an_answer_that_repeats_the_key_does_not_show_it(reserve, work, sendgrid):
    mail = reserve()
    sendgrid.answers.append((401, refusal(f"The provided authorization grant Bearer {KEY} is invalid")))
    assert work() == [Status.QUEUED], "a wrong key is mended by changing it, not by giving up the mail"
    mail.refresh_from_db()
    assert "authorization grant" in mail.error
    assert KEY not in mail.error


def test_a_refused_connection_is_tried_again_later(reserve, work, sendgrid, settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.ANYMAIL = {"SENDGRID_API_KEY": KEY, "SENDGRID_API_URL": f"http://127.0.0.1:{port}/v3/"}
    mail = reserve()
    assert work() == [Status.QUEUED]
    mail.refresh_from_db()
    assert "refused" in mail.error
    assert KEY not in mail.error


def test_a_connection_lost_after_the_mail_was_given_is_left_to_a_person(reserve, work, sendgrid):
    sendgrid.hang_up = True
    reserve()
    assert work() == [Status.UNCONFIRMED]
    assert len(sendgrid.requests) == 1


def test_an_answer_that_takes_too_long_is_left_to_a_person(reserve, work, settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v3/"
        send_by(settings, "anymail.backends.sendgrid.EmailBackend")
        settings.ANYMAIL = {"SENDGRID_API_KEY": KEY, "SENDGRID_API_URL": url, "REQUESTS_TIMEOUT": 0.3}
        reserve()
        assert work() == [Status.UNCONFIRMED]

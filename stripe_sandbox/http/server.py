"""The HTTP/1.1 server has a thread for each connection and hands every request to the sandbox."""

import functools
import http.client
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .messages import Request, Response

Handle = Callable[[Request], Response | None]
LARGEST_BODY = 4 << 20
LONGEST_LINE, MOST_HEADERS = 65_537, 101


@functools.lru_cache(2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


@functools.cache
def _phrase(status: int) -> str:
    return http.client.responses.get(status, "")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, handle: Handle) -> None:
        self.handle_request_fully = handle
        self.open: set[socket.socket] = set()
        super().__init__((host, port), Connection)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        self._end_serving()
        self.server_close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.open.discard(connection)

    def _end_serving(self) -> None:
        """End the loop, which checks only when somebody connects: so it need not check all the time."""
        ending = threading.Thread(target=self.shutdown)
        ending.start()
        while ending.is_alive():
            with suppress(OSError):
                socket.create_connection((self.server_name, self.server_port), 0.1).close()
            ending.join(0.01)

    def serve_in_background(self) -> threading.Thread:
        thread = threading.Thread(target=self.serve_forever, args=(0.5,), name="stripe-sandbox", daemon=True)
        thread.start()
        return thread

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error of a client that hangs up."""


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: Server
    raw_requestline: bytes
    given: dict[str, str]

    def parse_request(self) -> bool:
        """Read the first line and the headers. The library's way, a parser of mails, takes longer than most answers."""
        self.requestline = str(self.raw_requestline, "iso-8859-1").rstrip("\r\n")
        self.command, self.request_version, self.close_connection = "", "HTTP/1.0", True
        words = self.requestline.split()
        if not words:
            return False
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            self.send_error(400, "Bad request syntax")
            return False
        self.command, path, self.request_version = words
        self.path = f"/{path.lstrip('/')}" if path.startswith("//") else path
        headers = self._headers()
        if headers is None:
            self.send_error(431, "Headers are too large")
            return False
        self.given = headers
        asked = headers.get("connection", "").lower()
        self.close_connection = asked == "close" or (words[2] == "HTTP/1.0" and asked != "keep-alive")
        return headers.get("expect", "").lower() != "100-continue" or self.handle_expect_100()

    def _headers(self) -> dict[str, str] | None:
        """Return the headers by their names in small letters; None where there is too much of them."""
        headers: dict[str, str] = {}
        for _ in range(MOST_HEADERS):
            line = self.rfile.readline(LONGEST_LINE)
            if len(line) == LONGEST_LINE:
                return None
            name, colon, value = line.decode("iso-8859-1").partition(":")
            if not name.strip() and not colon:
                return headers
            headers[name.strip().lower()] = value.strip()
        return None

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        if body is None:
            return
        response = self.server.handle_request_fully(Request(self.command, path, query, self.given, body))
        if response is None:
            self.close_connection = True
            return
        self._send(response)

    def _body(self) -> bytes | None:
        length = self.given.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(
                Response(413, b'{"error": {"type": "invalid_request_error", "message": "The body is too large."}}')
            )
            return None
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        """Write the answer in one piece, as `_headers` reads: the library's way takes longer than most answers."""
        length = str(len(response.body))
        headers = {
            "Server": self.version_string(),
            "Date": _date(int(time.time())),
            "Content-Type": response.content_type,
            "Content-Length": length,
            **response.headers,
        }
        if self.close_connection:
            headers["Connection"] = "close"
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"HTTP/1.1 {response.status} {_phrase(response.status)}\r\n{lines}\r\n".encode("latin-1", "replace")
        self.wfile.write(head if self.command == "HEAD" else head + response.body)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = _answer

    def version_string(self) -> str:
        return "stripe-sandbox"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: /_sandbox/calls counts the requests instead."""

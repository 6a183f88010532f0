"""A web server before the host, as nginx is: it listens on a port, and asks a Unix socket."""

import http.client
import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class _ToSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Front(ThreadingHTTPServer):
    daemon_threads = True
    cuts_off = True

    def handle_error(self, request, client_address):
        """Say nothing: nobody listens at the socket yet, or who asked has gone."""


@contextmanager
def front(port, path, below):
    """Serve `port` from the socket `path`, addresses `below` a path alone. That path is taken off what is asked for as
    long as `cuts_off` of the server that this yields."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if not self.path.startswith(f"{below}/"):
                return self.send_error(404)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)) if self.command == "POST" else None
            server = _ToSocket(path)
            asked = self.path.removeprefix(below) if self.server.cuts_off else self.path
            server.putrequest(self.command, asked, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.putheader("X-Forwarded-For", self.client_address[0])
            server.endheaders(body)
            answer = server.getresponse()
            said = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            server.close()
            return None

        def do_POST(self):
            self.do_GET()

        def log_message(self, *args):
            """Say nothing."""

    server = Front(("127.0.0.1", port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()

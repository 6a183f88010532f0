"""A pooler or balancer before a test's PostgreSQL that can fall silent: it takes all that is sent, and says nothing."""

import os
import socket
from contextlib import contextmanager, suppress
from threading import Event, Thread

from django.db import connection


class SilentProxy:
    """It listens on `port` of 127.0.0.1. What is sent while it is silent is lost, as it is in a host that dies.

    proxy.fall_silent()       # connections stay open, new ones are accepted, and nobody is answered
    proxy.speak()             # new connections are answered; those from before stay silent for ever
    """

    def __init__(self, server):
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._silence = Event()
        self._open = []
        Thread(target=self._accept, daemon=True).start()

    def fall_silent(self):
        self._silence.set()

    def speak(self):
        self._silence = Event()

    def vanish(self):
        """Fall silent, and take no new connections."""
        self.fall_silent()
        # A thread that waits in `accept` would keep the port open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self):
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connected()
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    Thread(target=self._pass_on, args=(source, target, self._silence), daemon=True).start()

    def _connected(self):
        if isinstance(self._server, tuple):
            return socket.create_connection(self._server)
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        return server

    def _pass_on(self, source, target, silence):
        with suppress(OSError):
            while data := source.recv(65536):
                if not silence.is_set():
                    target.sendall(data)
            if not silence.is_set():
                target.shutdown(socket.SHUT_WR)


@contextmanager
def silent_proxy():
    known = connection.settings_dict
    host, port = str(known["OPTIONS"].get("host") or known["HOST"] or "127.0.0.1"), int(known["PORT"] or 5432)
    proxy = SilentProxy(os.path.join(host, f".s.PGSQL.{port}") if host.startswith("/") else (host, port))
    try:
        yield proxy
    finally:
        proxy.close()

"""A Redis of a test's own, which can be away, or hang."""

import shutil
import signal
import subprocess

import pytest
import redis

from billing.tests.processes import free_port, until

BINARY = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(not BINARY, reason="no redis-server here (Debian: apt-get install redis-server)")


class Redis:
    """A server with nothing on disk."""

    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([*command, "--dir", str(self.folder)], stdout=subprocess.DEVNULL)
        until(self.answers, what="redis")

    def answers(self):
        with redis.Redis(port=self.port) as client:
            try:
                return client.ping()
            except redis.RedisError:
                return False

    def hands_out_to_nobody(self):
        """No worker's connection waits for a task any more."""
        with redis.Redis(port=self.port) as client:
            return client.info("clients")["blocked_clients"] == 0

    def hang(self):
        """Take connections, and answer none."""
        self.process.send_signal(signal.SIGSTOP)

    def stop(self):
        self.process.kill()
        self.process.wait()

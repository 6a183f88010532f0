"""PgBouncer in transaction mode before a test's PostgreSQL: each transaction may get another connection."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from billing.tests.processes import free_port, until

BINARY = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/sbin")
needs_pgbouncer = pytest.mark.skipif(not BINARY, reason="no pgbouncer here (Debian: apt-get install pgbouncer)")
# Round robin: two transactions of one client hardly ever meet the same connection.
CONF = """
[databases]
* = host={host} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
server_round_robin = 1
default_pool_size = 5
min_pool_size = 3
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(host: str, user: str):
    """Run one before the server whose socket is in the folder `host`; yield its port."""
    port, owner = free_port(), Path(host).stat().st_uid
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir="/tmp") as folder:
        conf = Path(folder) / "pgbouncer.ini"
        conf.write_text(CONF.format(host=host, user=user, port=port))
        # It refuses to run as root, and the socket is its server's owner's.
        if os.getuid() == 0:
            os.chown(folder, owner, -1)
        process = subprocess.Popen(
            [BINARY, str(conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=owner if os.getuid() == 0 else None,
        )
        try:
            until(lambda: _listens(port), what="pgbouncer")
            yield port
        finally:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0

"""This module starts the processes that benchmarks measure (site, queue and sandbox, on one PostgreSQL) and reads their
cost."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.sandbox import Server

ROOT = Path(__file__).parent.parent
SECRET = "whsec_bench"
KEY = "sk_test_" + "benchmark0" * 3
TICKS = os.sysconf("SC_CLK_TCK")
# What production sets, behind a proxy that ends TLS.
PRODUCTION = {
    "DJANGO_DEBUG": "false",
    "DJANGO_SECRET_KEY": "a-secret-key-of-the-benchmarks-that-is-long-enough-for-production",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SITE_URL": "https://billing.example.com",
    "STRIPE_SECRET_KEY": KEY,
    "STRIPE_WEBHOOK_SECRET": SECRET,
    "TRUSTED_PROXIES": "127.0.0.1",
    "CONFIRM_EMAIL": "false",  # the buyers of a benchmark have no mailbox
    "STAFF_SECOND_FACTOR": "false",  # nor have its staff a phone
}
HTTPS = {"X-Forwarded-Proto": "https"}


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds used so far by a process and its descendants, including those that have ended."""
    spent, parents = {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
        spent[int(entry.parent.name)] = sum(map(int, fields[11:15])) / TICKS
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(spent.get(member, 0.0) for member in family)


def postmaster(url: str) -> int:
    """Return the pid of the server that a DATABASE_URL of `postgres_server` names."""
    directory = url.split("host=", 1)[1]
    return int((Path(directory) / "postmaster.pid").read_text().split()[0])


def new_database(url: str, name: str) -> str:
    """Make an empty database on the same server; return its DATABASE_URL."""
    with connect(url) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.replace("@/postgres?", f"@/{name}?")


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(database: str, stripe: Server | None = None, settings: str = "bench.settings") -> dict[str, str]:
    """Return the environment in which the project's processes start."""
    given = {**os.environ, **PRODUCTION, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": settings}
    return {**given, "STRIPE_API_BASE": f"http://127.0.0.1:{stripe.connection.port}"} if stripe else given


def command(env: dict[str, str], *arguments: str) -> None:
    """Run a management command to its end."""
    subprocess.run(
        [sys.executable, "-m", "django", *arguments], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def site(env: dict[str, str], wsgi: str = "config.wsgi", port: int = 0) -> Iterator[tuple[str, int]]:
    """Run a gunicorn of two processes with four threads each; yield its address and pid."""
    address = f"127.0.0.1:{port or free_port()}"
    options = ["--bind", address, "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    with process(env, "gunicorn", wsgi, *options, "--log-level", "warning", "--timeout", "120") as server:
        until(lambda: answers(address), "the site does not answer")
        yield f"http://{address}", server.pid


@contextmanager
def queue(env: dict[str, str]) -> Iterator[int]:
    """Run a qcluster; yield its pid."""
    with process(env, "django", "qcluster") as cluster:
        yield cluster.pid


@contextmanager
def sandbox(*options: str) -> Iterator[Server]:
    port = free_port()
    with process(dict(os.environ), "stripe_sandbox", "--port", str(port), *options) as running:
        until(lambda: answers(f"127.0.0.1:{port}"), "the sandbox does not answer")
        yield Server(address_of(port), running.pid)


def address_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@contextmanager
def process(env: dict[str, str], module: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m module` in a process group of its own that ends with the block."""
    run = [sys.executable, "-m", module, *arguments]
    running = subprocess.Popen(run, env=env, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def answers(address: str) -> bool:
    try:
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.request("GET", "/healthz", headers=HTTPS)
        return connection.getresponse().status < 500
    except OSError:
        return False


def until(is_so: Callable[[], bool], otherwise: str, seconds: float = 60, every: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(otherwise)
        time.sleep(every)


def netloc(address: str) -> str:
    return urlsplit(address).netloc

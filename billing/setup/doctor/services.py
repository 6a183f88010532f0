"""These checks examine what the site stands on: the way to its database, its cache, its mail."""

import uuid
from collections.abc import Iterator

from django.conf import settings
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection

from billing import mailer
from billing.cache import counting_cache
from billing.sync import AT_ONCE, Threads

from .findings import Finding, error, ok, warning

COUNTS_EACH = 10


def pooler() -> Iterator[Finding]:
    """Ask whether a pooler, such as PgBouncer, stands before PostgreSQL while Django opens cursors on the server.

    A pooler tells its clients a process id of its own. In transaction mode the next statement may go to another
    session, which does not have the cursor: the admin's forms, which list rows by one, fail now and then.
    """
    if connection.vendor != "postgresql" or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [own] = cursor.fetchone()
    if own != connection.connection.info.backend_pid:
        yield warning(
            "pooler",
            "A pooler stands before PostgreSQL, and Django opens cursors on the server.",
            'If it pools transactions, set DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] to True: without it '
            "forms of the admin fail now and then.",
        )


def dead_host() -> Iterator[Finding]:
    """Check that a PostgreSQL whose host dies is given up on: otherwise sites and workers hang for two hours."""
    options = connection.settings_dict.get("OPTIONS", {})
    host = str(options.get("host") or connection.settings_dict.get("HOST") or "/")
    is_limited = options.get("tcp_user_timeout") and options.get("keepalives_idle")
    if connection.vendor != "postgresql" or host.startswith("/") or is_limited or "service" in options:
        return
    yield warning(
        "database",
        "If PostgreSQL's host dies with queries in flight, sites and workers hang until the kernel notices: two hours.",
        'Add POSTGRESQL_OPTIONS of billing.hosting to DATABASES["default"]["OPTIONS"].',
    )


def counting() -> Iterator[Finding]:
    """Check that the cache counts rate limits and the Stripe budget across processes."""
    if isinstance(counting_cache(), LocMemCache | DummyCache):
        yield error(
            "cache", "The cache counts for each process separately.", "Use billing.cache.ExactDatabaseCache or Redis."
        )
        return
    name = f"billing.setup.doctor.{uuid.uuid4()}"
    counting_cache().add(name, 0, 60)
    with Threads() as threads:
        for _ in range(AT_ONCE):
            threads.start(_count, name)
    counted = counting_cache().get(name)
    counting_cache().delete(name)
    wanted = AT_ONCE * COUNTS_EACH
    if counted == wanted:
        yield ok("cache", f"The cache counts exactly: {wanted} of {wanted}, by several threads at once.")
    else:
        yield error(
            "cache", f"The cache counted {counted} of {wanted}.", "Use billing.cache.ExactDatabaseCache or Redis."
        )


def mail() -> Iterator[Finding]:
    """Open the mail backend; send nothing."""
    try:
        backend = mailer.connection()
        backend.open()
        backend.close()
    except Exception as problem:  # noqa: BLE001 (a backend may raise whatever it likes)
        text = f"The mail backend cannot be opened: {type(problem).__name__}: {problem}"
        yield error("mail", text[:300], "Check MAILERS, or EMAIL_BACKEND and its settings before Django 6.1.")
    else:
        yield ok("mail", f"The mail backend {type(backend).__module__} can be opened.")


def staff() -> Iterator[Finding]:
    """Check that somebody gets a mail when something needs a person."""
    if settings.ADMINS:
        yield ok("staff", f"{len(settings.ADMINS)} addresses get a mail when something needs a person.")
    else:
        text = "ADMINS is empty, so nobody gets a mail about dead events, a silent endpoint, drift or a dispute."
        yield warning("staff", text, "Set ADMINS to the addresses of the people who run the site.")


def _count(name: str) -> None:
    for _ in range(COUNTS_EACH):
        counting_cache().incr(name)


CHECKS = (pooler, dead_host, counting, mail, staff)

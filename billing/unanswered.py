"""A query that nobody works on any more is given up, although its connection looks alive.

TCP's time-outs (`hosting.POSTGRESQL_OPTIONS`) find a host that has died. They do not find a pooler or a balancer that
lives on before it, nor a server that stands still: these take each packet and say nothing, and sites and workers would
wait for ever. So who has waited for BILLING_UNANSWERED_SECONDS asks the server, by a connection of its own, whether it
still works on the query. If it does, the wait goes on, however long. If it does not, or says nothing to that either,
the query fails as it does when a connection is lost. It is for psycopg 3; connections of psycopg 2 are left alone.
"""

import logging
import os
import re
from collections.abc import Callable, Generator
from contextlib import closing
from threading import Lock
from time import monotonic
from typing import Any
from weakref import ref

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

log = logging.getLogger(__name__)

TRIES = 2
CONNECT_SECONDS = 5
# In any language libpq writes two spaces behind the severity that a server has sent.
OF_THE_SERVER = re.compile(r"failed: \w+:  ")
IS_WORKED_ON = """
    SELECT pg_backend_pid(),
           EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state IS DISTINCT FROM 'idle')
"""


# Of a process's threads one asks, and the others take over that there was no answer.
_asking = Lock()
_silent_at = float("-inf")
_seconds: Callable[[], float] = float


class _Silent(Exception):
    """The server has taken the question, and does not answer it."""


def watch(seconds: Callable[[], float]) -> None:
    """Watch each connection to the default database that is made from now on. `seconds` says, at any time, how long a
    query may wait before the server is asked; 0: it is not asked."""
    global _seconds  # noqa: PLW0603
    _seconds = seconds
    connection_created.connect(_watch, dispatch_uid="billing.unanswered")
    os.register_at_fork(after_in_child=_begin_anew)


def _begin_anew() -> None:
    """Forget that a thread of the parent was asking."""
    global _asking  # noqa: PLW0603
    _asking = Lock()


def _watch(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    raw = connection.connection
    if connection.vendor != "postgresql" or connection.alias != DEFAULT_DB_ALIAS or not hasattr(raw, "wait"):
        return
    if not isinstance(getattr(raw.wait, "__self__", None), _Line):
        raw.wait = _Line(raw, connection.get_connection_params()).wait


class _Line:
    """A connection of psycopg, with what a further one is made of."""

    def __init__(self, raw: Any, params: dict[str, Any]) -> None:
        # The connection refers to this: by a plain reference back, one that is dropped would stay open for a while.
        self._raw = ref(raw)
        self._params = {**params, "autocommit": True}
        self._params["connect_timeout"] = min(int(params.get("connect_timeout") or CONNECT_SECONDS), CONNECT_SECONDS)

    def wait(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """Do what the connection's own method does, and look at the clock meanwhile."""
        raw: Any = self._raw()
        return type(raw).wait(raw, _followed(generator, _Clock(self).tick), *args, **kwargs)

    def give_up(self) -> None:
        from psycopg import OperationalError

        log.warning("query given up", extra={"seconds": _seconds()})
        if raw := self._raw():
            raw.close()
        raise OperationalError("the server does not work on this query any more: the connection is given up")

    def is_waiting(self) -> bool:
        from psycopg.pq import TransactionStatus

        raw = self._raw()
        return raw is not None and raw.pgconn.transaction_status == TransactionStatus.ACTIVE

    def is_left_alone(self) -> bool:
        """Ask the server, more than once, and return whether nobody works on the query."""
        global _silent_at  # noqa: PLW0603
        wanted_at = monotonic()
        with _asking:
            if _silent_at > wanted_at:
                return True
            answers: list[bool | None] = []
            while len(answers) < TRIES:
                answers.append(self._ask())
                if answers[-1]:
                    return False
            if answers[-1] is None:
                _silent_at = monotonic()
        return True

    def _ask(self) -> bool | None:
        """Return whether the query is worked on; None if the server does not answer."""
        import psycopg

        raw = self._raw()
        pid = raw.info.backend_pid if raw else 0
        try:
            with closing(psycopg.connect(**self._params)) as other:
                ends_at = monotonic() + self._params["connect_timeout"]
                wait = type(other).wait
                other.wait = lambda generator, *args, **kwargs: wait(  # type: ignore[method-assign]
                    other, _followed(generator, _until(ends_at)), *args, **kwargs
                )
                answer = other.execute(IS_WORKED_ON, [pid]).fetchone()
                own, is_worked_on = answer or (0, True)
                # A pooler gives out numbers of its own: what it passed the query on to cannot be looked up.
                return bool(is_worked_on) or own != other.info.backend_pid
        except _Silent:
            return None
        except psycopg.Error as error:
            # A refusal in the server's own words (too many connections) is an answer.
            return True if error.sqlstate or OF_THE_SERVER.search(str(error)) else None


class _Clock:
    """The time since the server's last word on one query."""

    def __init__(self, line: _Line) -> None:
        self._line, self._heard_at = line, monotonic()
        self._is_over = False

    def tick(self, is_news: bool) -> None:
        """Called whenever something arrives, and each tenth of a second when nothing does."""
        if is_news:
            self._heard_at, self._is_over = monotonic(), False
        elif self._is_over:
            # The answer had one more moment to arrive while the server was asked.
            self._line.give_up()
        elif 0 < _seconds() < monotonic() - self._heard_at:
            self._is_over = self._line.is_waiting() and self._line.is_left_alone()
            self._heard_at = monotonic()


def _until(ends_at: float) -> Callable[[bool], None]:
    def tick(is_news: bool) -> None:
        if monotonic() > ends_at:
            raise _Silent

    return tick


def _followed(generator: Any, tick: Callable[[bool], None]) -> Generator[Any, Any, Any]:
    """Pass on what a generator of psycopg asks for and what it is sent, and tell `tick` whether that was any news."""
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            tick(bool(ready))
            wanted = generator.send(ready)
    except StopIteration as done:
        return done.value

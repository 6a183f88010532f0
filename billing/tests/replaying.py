"""What a world has lived through once is given to later tests again: the rows and the sandbox, as they were left.

Some two thousand tests begin with somebody who subscribes in an empty world, which takes a quarter of a second. The
first test of five minutes lives through it. The next ones get a copy, if all that could make a difference is as it was:
the rows, the sandbox, the settings, the receivers of signals; and if nobody watches how it comes about: no patch, no
log, no count of statements. Only on SQLite: PostgreSQL is there to see what happens.
"""

import hashlib
import json
import re
import threading
import time
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

import structlog
from django.conf import settings
from django.core import mail
from django.core import signals as of_requests
from django.db import connection, transaction
from django.db.models import signals as of_models
from django.dispatch import Signal
from django.test.client import ClientHandler
from django.urls import get_resolver
from django.utils import timezone, translation
from djstripe.signals import WEBHOOK_SIGNALS

from billing import signals, stripe_account
from stripe_sandbox import saving

KEPT_SECONDS = 300
MOST_KEPT = 40
# Made before the first test, and again by none.
STANDING = {"django_content_type", "auth_permission", "sqlite_sequence"}
WATCHING = {"caplog", "capsys", "capfd", "django_assert_num_queries", "django_assert_max_num_queries"}
PATCHED_IN_EVERY_TEST = {"INITIAL_DELAY", "MAX_DELAY", "ensure_connection"}  # by our kit, and by pytest-django
MOMENTS = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?|\b[12]\d{9}(\.\d+)?\b")

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Kept:
    """What a story left: the tables that it changed, the sandbox, the mails, and what the world had to remember."""

    at: float
    now: int
    rows: Rows
    state: str
    log: list[Any]
    mails: list[Any]
    delivered: set[str]
    remembered: dict[str, str]
    told: Any


_kept: dict[str, Kept] = {}
_patched: list[Any] = []


def watch_patches() -> None:
    """Note from now on which patches of unittest.mock are in effect."""
    enter, leave = mock._patch.__enter__, mock._patch.__exit__

    def entered(self: Any) -> Any:
        _patched.append(self)
        return enter(self)

    def left(self: Any, *error: Any) -> Any:
        if self in _patched:
            _patched.remove(self)
        return leave(self, *error)

    mock._patch.__enter__, mock._patch.__exit__ = entered, left


def told(world: Any, story: Any, live: Any) -> Any:
    """Return what `live()` returns, having lived through the story or got a copy of it; `story` says which it is, and
    what is told is plain values.
    """
    if not _is_unwatched(world):
        return live()
    before = _rows()
    state = saving.document(world.sandbox.state)
    key = _key(world, story, before, state)
    kept = _kept.get(key)
    if kept is not None and time.monotonic() - kept.at < KEPT_SECONDS:
        _give(world, kept)
        return kept.told
    mails = len(mail.outbox)
    answer = live()
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = Kept(
        at=time.monotonic(),
        now=world.sandbox.state.now(),
        rows={table: rows for table, rows in _rows(before).items() if rows != before.get(table)},
        state=saving.document(world.sandbox.state),
        log=list(world.sandbox.state.log),
        mails=mail.outbox[mails:],
        delivered=set(world.delivered),
        remembered={name: account for name, (_, account) in stripe_account._remembered.items()},
        told=answer,
    )
    return answer


# What could make a difference


def _is_unwatched(world: Any) -> bool:
    sandbox, node = world.sandbox, world.node
    patched = {patch.attribute for patch in _patched} - PATCHED_IN_EVERY_TEST
    monkeypatch = getattr(node, "funcargs", {}).get("monkeypatch")
    return (
        connection.vendor == "sqlite"
        and threading.current_thread() is threading.main_thread()
        and not patched
        and not (monkeypatch and (monkeypatch._setattr or monkeypatch._setitem))
        and not WATCHING & set(node.fixturenames)
        and not (connection.force_debug_cursor or connection.execute_wrappers or connection.needs_rollback)
        and not (sandbox.forward or sandbox.forward_thin or sandbox.state.table("webhook_endpoint").rows)
        and not any(sandbox.faults.shown().values())
        and _receivers() == _receivers_at_start()
    )


def _key(world: Any, story: Any, rows: Rows, state: str) -> str:
    # The moments of both differ from test to test.
    was = MOMENTS.sub("T", repr(sorted(rows.items())) + re.sub(r'"offset": [-\d.e]+', "", state))
    moved = round(world.sandbox.state.clock.offset - world.put_back)
    said = (translation.get_language(), timezone.get_current_timezone_name(), world.delivered, world.put_up_for_sale)
    logs = [id(processor) for processor in structlog.get_config()["processors"]]
    return hashlib.sha256(repr((story, was, moved, said, logs, _settings())).encode()).hexdigest()


def _settings() -> list[tuple[str, str]]:
    holders, holder = [], settings._wrapped
    while holder is not None:
        holders.append(vars(holder))
        holder = vars(holder).get("default_settings")
    found: dict[str, Any] = {}
    for values in reversed(holders):
        found |= values
    return sorted((name, repr(value)) for name, value in found.items() if name.isupper())


def _receivers() -> list[Any]:
    own = [value for value in vars(signals).values() if isinstance(value, Signal)]
    models = [value for value in vars(of_models).values() if isinstance(value, Signal)]
    requests = [value for value in vars(of_requests).values() if isinstance(value, Signal)]
    heard = [*own, *models, *requests, *WEBHOOK_SIGNALS.values()]
    # A world hears all of ours, by this name.
    return [sorted(str(one[0]) for one in signal.receivers if one[0][0] != "world") for signal in heard]


@cache
def _receivers_at_start() -> list[Any]:
    return _receivers()


def begin() -> None:
    """Note the receivers that the site has, when all of it is loaded; called before any test."""
    get_resolver().url_patterns  # noqa: B018  imports the pages
    ClientHandler().load_middleware()
    _receivers_at_start()


# Rows, as SQLite has them


@cache
def _columns() -> dict[str, str]:
    """Return all tables, each with its columns as SQLite shows them when it does not know their types."""
    cursor = connection.connection.cursor()
    names = [name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    return {
        name: ", ".join(f'+"{column[1]}"' for column in cursor.execute(f'PRAGMA table_info("{name}")').fetchall())
        for name in sorted(names)
        if name not in STANDING
    }


@cache
def _which_are_filled() -> str:
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in _columns())


def _rows(also: Any = ()) -> Rows:
    connection.ensure_connection()
    cursor = connection.connection.cursor()
    filled = {name for (name,) in cursor.execute(_which_are_filled()).fetchall()}
    return {name: cursor.execute(f'SELECT {_columns()[name]} FROM "{name}"').fetchall() for name in filled | set(also)}


def _give(world: Any, kept: Kept) -> None:
    with transaction.atomic():
        cursor = connection.connection.cursor()
        for table, rows in kept.rows.items():
            cursor.execute(f'DELETE FROM "{table}"')
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                cursor.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
    sandbox = world.sandbox
    with sandbox.lock:
        old, state = sandbox.state, saving.restored(json.loads(kept.state))
        state.log.extend(kept.log)
        state.versions_met |= old.versions_met
        sandbox.state = sandbox._prepare(state)
        sandbox.dispatcher.forget(state)
        # For the sandbox no time has passed since.
        was = old.clock.offset
        state.clock.move_to(kept.now)
    world.put_back += state.clock.offset - was
    world.delivered = set(kept.delivered)
    mail.outbox.extend(copy(message) for message in kept.mails)
    until = time.monotonic() + stripe_account.REMEMBERED_SECONDS
    stripe_account._remembered.update({name: (until, account) for name, account in kept.remembered.items()})

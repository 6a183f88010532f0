"""A forked process leaves its parent's pools of database connections alone.

django-q2 forks its workers, and so may web servers. Django's pool (`OPTIONS: {"pool": True}`) is copied with its
sockets, and then parent and children read each other's answers. Here the child forgets the pool, and makes its own.
"""

import os
from typing import Any

from django.db import connections

# Nothing in here is closed: that would end the parent's sessions.
_left_behind: list[Any] = []


def leave_pools_behind() -> None:
    """Forget every pool, and the connection that this thread has from it."""
    for connection in connections.all():
        pools = getattr(connection, "_connection_pools", {})
        if connection.alias in pools:
            _left_behind.extend([pools.pop(connection.alias), connection.connection])
            connection.connection = None


def watch() -> None:
    """Do so in every process that is forked from now on."""
    os.register_at_fork(after_in_child=leave_pools_behind)

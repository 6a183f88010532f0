"""A host project imports the settings of other libraries that `billing` needs from here, by their own names.

    from billing.hosting import APPS, CACHES, DJSTRIPE_FOREIGN_KEY_TO_FIELD, Q_CLUSTER

Leave a name out if your project sets it already; `manage.py check` names what is missing or does not suit.
"""

from typing import Any

APPS = ["rest_framework", "djstripe", "django_q", "billing"]

# dj-stripe asks new projects for this value.
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"

# Django's own database cache does not count exactly, and rate limits are counted here. Redis does, where there is one.
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "billing.cache.ExactDatabaseCache", "LOCATION": "cache"}}

Q_CLUSTER: dict[str, Any] = {
    "name": "billing",
    "label": "Queue",
    "workers": 2,
    "timeout": 120,
    # Longer than `timeout`, else a task still running is handed out again.
    "retry": 180,
    # A failing event is tried again by its ledger, not by the queue.
    "ack_failures": True,
    "max_attempts": 5,
    # Successes are not kept: counting and pruning them costs more than the tasks themselves.
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.2,
    # On the same database a ledger row and its wake-up are one transaction.
    "orm": "default",
}

# DATABASES["default"]["OPTIONS"] on PostgreSQL: a server whose host has died, or that does not answer, is given up on
# within 20 seconds. Without these a query waits for the kernel's own keepalive, two hours on Linux, and so do a worker
# and all threads of a site. They speak of the next machine only: a pooler needs its own (docs/security.md#time-outs).
POSTGRESQL_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}

# DATABASES["default"]["OPTIONS"] on SQLite: writers queue for the lock when a transaction begins. Without it they fail
# half-way with "database is locked".
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}

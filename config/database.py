"""Each new connection to PostgreSQL is sent its settings as statements, since poolers refuse start-up options."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

# A process that was stopped inside a transaction keeps its locks no longer than this: nobody waits for it for ever.
IDLE_IN_TRANSACTION = "SET idle_in_transaction_session_timeout = '60s'"


def limit_idle_transactions(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(IDLE_IN_TRANSACTION)

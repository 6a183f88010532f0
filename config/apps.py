"""The project registers its checks here."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from config.database import limit_idle_transactions


class SiteConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401  registers the system checks

        connection_created.connect(limit_idle_transactions, dispatch_uid="config.database")

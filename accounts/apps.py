"""The app `accounts` connects its checks and receivers here."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, closing, logins  # noqa: F401  checks registers itself
        from .second_step import rules

        closing.connect()
        logins.connect()
        rules.connect()

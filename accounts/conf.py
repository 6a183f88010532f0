"""The settings of `accounts` are read lazily, so that `override_settings` works."""

from datetime import timedelta

from django.conf import settings as django_settings


class Settings:
    """Each property is one setting; its docstring is its documentation."""

    @property
    def confirms_email(self) -> bool:
        """ACCOUNTS_CONFIRM_EMAIL: whether users must confirm their address by a link in an e-mail."""
        return getattr(django_settings, "ACCOUNTS_CONFIRM_EMAIL", True)

    @property
    def token_life(self) -> timedelta | None:
        """ACCOUNTS_TOKEN_DAYS: how long an API token lasts; with 0 it lasts until it is revoked."""
        days = getattr(django_settings, "ACCOUNTS_TOKEN_DAYS", 365)
        return timedelta(days=days) if days else None


conf = Settings()

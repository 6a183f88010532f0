"""This module reads the settings of `accounts`, lazily, so that `override_settings` works."""

from datetime import timedelta

from django.conf import settings as django_settings


class Settings:
    """Each property reads one setting; its docstring is the setting's documentation."""

    @property
    def confirms_email(self) -> bool:
        """ACCOUNTS_CONFIRM_EMAIL: users must open a link in a mail before their address counts as theirs."""
        return getattr(django_settings, "ACCOUNTS_CONFIRM_EMAIL", True)

    @property
    def token_life(self) -> timedelta | None:
        """ACCOUNTS_TOKEN_DAYS: an API token is valid for so many days; 0: until it is revoked."""
        days = getattr(django_settings, "ACCOUNTS_TOKEN_DAYS", 365)
        return timedelta(days=days) if days else None


conf = Settings()

"""The settings of `accounts`, read lazily so that `override_settings` works."""

from datetime import timedelta

from django.conf import settings as django_settings


class Settings:
    """One property a setting; its docstring is its documentation."""

    @property
    def confirms_email(self) -> bool:
        """ACCOUNTS_CONFIRM_EMAIL: an address counts once its owner has opened a link that was mailed there."""
        return getattr(django_settings, "ACCOUNTS_CONFIRM_EMAIL", True)

    @property
    def token_life(self) -> timedelta | None:
        """ACCOUNTS_TOKEN_DAYS: how long an API token lasts; 0: until it is revoked."""
        days = getattr(django_settings, "ACCOUNTS_TOKEN_DAYS", 365)
        return timedelta(days=days) if days else None


conf = Settings()

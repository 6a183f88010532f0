"""Django's mail settings are read here and nowhere else: MAILERS since Django 6.1, EMAIL_* before it.

Django 6.1 still reads EMAIL_* in a project without MAILERS, and warns of it; beside MAILERS it refuses them.
"""

from collections.abc import Iterable
from typing import Any

import django
from django.conf import settings as django_settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

CONSOLE = "django.core.mail.backends.console.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
# Which names there are depends on the Django: the types know those of one.
settings: Any = django_settings
HAS_MAILERS = django.VERSION >= (6, 1)


def connection() -> BaseEmailBackend:
    """Return the mail backend, which the caller opens and closes."""
    return mail.mailers.default if HAS_MAILERS else mail.get_connection()


def backend() -> str:
    """Return the dotted path of the mail backend."""
    path: str | None = _mailer().get("BACKEND") if _is_by_mailers() else _setting("EMAIL_BACKEND")
    return path or SMTP


def option(name: str) -> Any:
    """Return what the project has set for one of EMAIL_*, or for its name in a mailer's OPTIONS; None if nothing."""
    return _mailer().get("OPTIONS", {}).get(_named(name)) if _is_by_mailers() else _setting(name)


def mail_settings(path: str, **options: Any) -> dict[str, Any]:
    """Return the settings that send mail by this backend; `options` are named EMAIL_*, and empty ones say nothing."""
    given = {name: value for name, value in options.items() if value}
    if not HAS_MAILERS:
        return {"EMAIL_BACKEND": path, **given}
    return {"MAILERS": {"default": {"BACKEND": path, "OPTIONS": {_named(name): given[name] for name in given}}}}


def admins(people: Iterable[tuple[str, str]]) -> list[Any]:
    """Return ADMINS for people, each a name and an address. Django 5.2 takes pairs only, Django 6 addresses alone."""
    return [address for _, address in people] if django.VERSION >= (6, 0) else list(people)


def _is_by_mailers() -> bool:
    return HAS_MAILERS and hasattr(settings, "MAILERS")


def _mailer() -> dict[str, Any]:
    mailer: dict[str, Any] = settings.MAILERS.get("default", {})
    return mailer


def _setting(name: str) -> Any:
    """Return a setting of the project's. Django's default is not read, since Django 6.1 warns whoever reads it."""
    return getattr(settings, name) if settings.is_overridden(name) else None


def _named(name: str) -> str:
    """Return the name of one of EMAIL_* among the OPTIONS of a mailer."""
    return name.removeprefix("EMAIL_").lower().replace("host_user", "username").replace("host_password", "password")

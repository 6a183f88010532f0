"""System checks report settings of `accounts` that are wrong."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004  Django's name

from billing import mailer

from .conf import conf

MOST_DAYS = 36_500
LEAVES_NOT = {f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy")}


@register()
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [*_findings(), *_mail()]


def _findings() -> Iterator[Error]:
    days = getattr(settings, "ACCOUNTS_TOKEN_DAYS", 365)
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= MOST_DAYS:
        yield Error(
            f"ACCOUNTS_TOKEN_DAYS must be a number of days from 0 to {MOST_DAYS}.",
            hint="Set ACCOUNTS_TOKEN_DAYS to the days an API token lasts, 0 for no limit; the default is 365.",
            id="accounts.E001",
        )
    if not isinstance(getattr(settings, "ACCOUNTS_CONFIRM_EMAIL", True), bool):
        yield Error(
            "ACCOUNTS_CONFIRM_EMAIL must be True or False.",
            hint="Set ACCOUNTS_CONFIRM_EMAIL to True if users confirm addresses by e-mail; otherwise to False.",
            id="accounts.E002",
        )


def _mail() -> Iterator[Warning]:
    if settings.DEBUG or not conf.confirms_email or mailer.backend() not in LEAVES_NOT:
        return
    yield Warning(
        "Users must confirm their address by e-mail, but this site sends no e-mail, so nobody can buy.",
        hint="Set SENDGRID_API_KEY, EMAIL_URL or EMAIL_BACKEND, "
        "or set CONFIRM_EMAIL=false if another system confirms addresses.",
        id="accounts.W001",
    )

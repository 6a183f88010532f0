"""System checks that each setting of `accounts` has a value of its type."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004  Django's name

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
            hint="Set ACCOUNTS_TOKEN_DAYS to how long an API token lasts, 0 for no end, or leave it out for 365.",
            id="accounts.E001",
        )
    if not isinstance(getattr(settings, "ACCOUNTS_CONFIRM_EMAIL", True), bool):
        yield Error(
            "ACCOUNTS_CONFIRM_EMAIL must be True or False.",
            hint="Set ACCOUNTS_CONFIRM_EMAIL to whether addresses are confirmed by mail, or leave it out for True.",
            id="accounts.E002",
        )


def _mail() -> Iterator[Warning]:
    if settings.DEBUG or not conf.confirms_email or settings.EMAIL_BACKEND not in LEAVES_NOT:
        return
    yield Warning(
        "Addresses are confirmed by mail, and no mail leaves this site: nobody can buy.",
        hint="Set SENDGRID_API_KEY, EMAIL_URL or EMAIL_BACKEND; "
        "or CONFIRM_EMAIL=false if addresses are confirmed elsewhere.",
        id="accounts.W001",
    )

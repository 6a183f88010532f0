"""System checks guard production: the site refuses to start on an unsafe setting, and names the variable and a value.

While `DEBUG` is on, for development, two things are refused: a variable that cannot be read, and a live key or an
address that others can reach.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from .addresses import host_of, is_at_stripe, is_loopback

MIN_SECRET_KEY_LENGTH = 50
MIN_SECRET_KEY_CHARACTERS = 5


@register(Tags.security)
def check_production(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found = check_development() if settings.DEBUG else [*check_django(), *check_stripe(), *check_staff()]
    return [*found, *check_live_key()]


def check_development() -> Iterator[Error]:
    """Refuse DEBUG where others reach the site: it shows every setting, and accepts events that anybody signs."""
    hosts = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    named = {"STRIPE_SECRET_KEY": is_live(), "ALLOWED_HOSTS": bool(hosts), "SITE_URL": not is_here(settings.SITE_URL)}
    public = ", ".join(name for name, is_public in named.items() if is_public)
    if public:
        yield Error(
            f"DJANGO_DEBUG is on, but others can reach this site, judging by {public}.",
            hint="Set DJANGO_DEBUG to false; or, on your own machine, use a test key and only loopback addresses: "
            "localhost, 127.0.0.1, 0.0.0.0 or any name under .localhost. If a container or a phone of yours has to "
            "reach it by another name, add config.E008 to SILENCED_SYSTEM_CHECKS.",
            id="config.E008",
        )


def check_live_key() -> Iterator[Error]:
    if is_live() and settings.STRIPE_API_BASE and not is_at_stripe(settings.STRIPE_API_BASE):
        yield Error(
            "STRIPE_SECRET_KEY is a live key, and STRIPE_API_BASE would send it to somebody else, or unencrypted.",
            hint="Unset STRIPE_API_BASE, or set STRIPE_SECRET_KEY to a test key.",
            id="config.E009",
        )


def is_live() -> bool:
    return settings.STRIPE_LIVE_MODE or "_live_" in settings.STRIPE_SECRET_KEY


def is_here(url: str) -> bool:
    return is_loopback(host_of(url))


@register()
def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse variables that cannot be read. The value is not repeated: it may be a password in the wrong place."""
    return [
        Error(f"{name} has a value that cannot be read.", hint=f"Set {name} to {wanted}.", id="config.E007")
        for name, wanted in settings.MISSET.items()
    ]


def check_django() -> Iterator[Error]:
    key = settings.SECRET_KEY
    if (
        key == settings.EMBEDDED_SECRET_KEY
        or key.startswith("django-insecure-")
        or len(key) < MIN_SECRET_KEY_LENGTH
        or len(set(key)) < MIN_SECRET_KEY_CHARACTERS
    ):
        yield Error(
            "DJANGO_SECRET_KEY is missing, too short, or the one for development.",
            hint="Set DJANGO_SECRET_KEY to the output of: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="config.E001",
        )
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS is empty or allows every host.",
            hint="Set ALLOWED_HOSTS to the host names of the site, comma-separated: billing.example.com",
            id="config.E002",
        )
    if urlsplit(settings.SITE_URL).scheme != "https" or is_here(settings.SITE_URL):
        yield Error(
            f"SITE_URL is {settings.SITE_URL}: the links in mails would not lead to the site.",
            hint="Set SITE_URL to the site's public address: https://billing.example.com",
            id="config.E003",
        )


def check_stripe() -> Iterator[Error]:
    if not any(settings.STRIPE_WEBHOOK_SECRETS) or settings.EMBEDDED_WEBHOOK_SECRET in settings.STRIPE_WEBHOOK_SECRETS:
        yield Error(
            "The webhook secret is missing or the sandbox's: anyone could forge an event.",
            hint="Set STRIPE_WEBHOOK_SECRET to the signing secret (whsec_…) of the webhook endpoint; "
            "two, comma-separated, while one replaces the other.",
            id="config.E004",
        )
    if settings.STRIPE_API_BASE and not is_at_stripe(settings.STRIPE_API_BASE):
        yield Error(
            "STRIPE_API_BASE is not https at stripe.com: calls and key would go to the sandbox or to somebody else.",
            hint="Unset STRIPE_API_BASE.",
            id="config.E005",
        )
    # That the key is of the right mode is billing's own check, in development too.
    if settings.STRIPE_SECRET_KEY == settings.EMBEDDED_STRIPE_KEY:
        yield Error(
            "STRIPE_SECRET_KEY is the sandbox's.",
            hint="Set STRIPE_SECRET_KEY to a key of your account: sk_live_… or rk_live_…, with STRIPE_LIVE_MODE=true.",
            id="config.E006",
        )


def check_staff() -> Iterator[CheckWarning]:
    if not settings.STAFF_SECOND_FACTOR:
        yield CheckWarning(
            "Staff may enter the admin with a password alone.",
            hint="Set STAFF_SECOND_FACTOR to true: staff then add an app or a passkey at their next visit.",
            id="config.W001",
        )

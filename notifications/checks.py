"""System checks find mail settings that would otherwise fail without an error."""

from typing import Any

from django.conf import global_settings, settings
from django.core import checks
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.module_loading import import_string

from billing import mailer

from .conf import conf
from .models import Mail


def register() -> None:
    """Register every check of this module with Django."""
    for check in (check_kinds, check_functions, check_templates, check_brand, check_sender, check_server):
        checks.register(check)


def check_kinds(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find names in NOTIFICATIONS_OFF and NOTIFICATIONS_BY_STRIPE that are no kind of mail."""
    named = {"NOTIFICATIONS_OFF": conf.off, "NOTIFICATIONS_BY_STRIPE": conf.by_stripe}
    return [
        checks.Error(
            f"{setting} names {kind!r}, which is not a kind of mail.",
            hint=f"Use one of: {', '.join(Mail.Kind.values)}.",
            id="billing_mail.E001",
        )
        for setting, kinds in named.items()
        for kind in sorted(kinds - set(Mail.Kind.values))
    ]


def check_functions(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find dotted paths in the settings that lead to no function."""
    paths = {**conf.functions, **({"NOTIFICATIONS_LANGUAGE_OF": conf.language_of} if conf.language_of else {})}
    return [
        checks.Error(
            f"{name}: no function found at {path!r}.",
            hint="Give the dotted path of a function: {'welcome': 'acme.mails.welcome'}.",
            id="billing_mail.E002",
        )
        for name, path in paths.items()
        if not _is_there(path)
    ]


def check_templates(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find a TEMPLATES setting that does not see our templates."""
    try:
        get_template("billing_mail/base.html")
    except TemplateDoesNotExist:
        return [
            checks.Error(
                "TEMPLATES does not find the mails' templates, so every mail would fail.",
                hint='Set "APP_DIRS": True for the DjangoTemplates backend.',
                id="billing_mail.E003",
            )
        ]
    return []


def check_brand(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find a project that has not set the product's name."""
    if getattr(settings, "NOTIFICATIONS_PRODUCT_NAME", ""):
        return []
    return [
        checks.Warning(
            f"The mails call the product {conf.product_name!r}, after SITE_URL.",
            hint="Set NOTIFICATIONS_PRODUCT_NAME to the name your customers know.",
            id="billing_mail.W001",
        )
    ]


def check_sender(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find a project that still mails from Django's default address."""
    if conf.from_email != global_settings.DEFAULT_FROM_EMAIL:
        return []
    return [
        checks.Warning(
            f"Mails would be sent from {conf.from_email}, which providers refuse.",
            hint='Set DEFAULT_FROM_EMAIL to one of your addresses: "Acme <billing@acme.example>".',
            id="billing_mail.W002",
        )
    ]


def check_server(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find a project that never said how it sends mail, so that Django would use port 25 of this machine."""
    if mailer.backend() != mailer.SMTP or mailer.option("EMAIL_HOST"):
        return []
    return [
        checks.Warning(
            "No mail server is set: mails would go to port 25 of this machine, or nowhere.",
            hint=f"Set {_setting_of_a_server()}. The backend {mailer.CONSOLE} prints mails; "
            "anymail.backends.postmark.EmailBackend uses a provider. A server on this machine is 127.0.0.1.",
            id="billing_mail.W003",
        )
    ]


def _setting_of_a_server() -> str:
    if mailer.HAS_MAILERS:
        return 'MAILERS["default"]: its BACKEND, or the "host" of its OPTIONS'
    return "EMAIL_BACKEND or EMAIL_HOST"


def _is_there(path: str) -> bool:
    try:
        return callable(import_string(path))
    except ImportError:
        return False

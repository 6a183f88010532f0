"""Settings that would go wrong in silence, found at start-up."""

from typing import Any

from django.core import checks
from django.utils.module_loading import import_string

from .conf import conf
from .models import Mail


def register() -> None:
    checks.register(check_kinds)
    checks.register(check_functions)


def check_kinds(**kwargs: Any) -> list[checks.CheckMessage]:
    named = {"NOTIFICATIONS_OFF": conf.off, "NOTIFICATIONS_BY_STRIPE": conf.by_stripe}
    return [
        checks.Error(
            f"{setting} names {kind!r}, which is no kind of mail.",
            hint=f"There are: {', '.join(Mail.Kind.values)}.",
            id="notifications.E001",
        )
        for setting, kinds in named.items()
        for kind in sorted(kinds - set(Mail.Kind.values))
    ]


def check_functions(**kwargs: Any) -> list[checks.CheckMessage]:
    paths = {**conf.functions, **({"NOTIFICATIONS_LANGUAGE_OF": conf.language_of} if conf.language_of else {})}
    return [
        checks.Error(
            f"{name}: there is nothing to call at {path!r}.",
            hint="Give the dotted path of a function: {'welcome': 'acme.mails.welcome'}.",
            id="notifications.E002",
        )
        for name, path in paths.items()
        if not _is_there(path)
    ]


def _is_there(path: str) -> bool:
    try:
        return callable(import_string(path))
    except ImportError:
        return False

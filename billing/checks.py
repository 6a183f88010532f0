"""System checks: a wrong setting is named at start-up, with what to set."""

import re
from typing import Any

from django.apps import apps
from django.core import checks
from djstripe.models.api import API_KEY_REGEX

from billing.conf import conf


def register() -> None:
    for check in (check_webhook_secret, check_api_key, check_subscriber_model):
        checks.register(check, "billing")


def check_webhook_secret(**kwargs: Any) -> list[checks.CheckMessage]:
    if conf.webhook_secrets:
        return []
    return [
        checks.Warning(
            "No webhook secret is set: every event is refused.",
            hint="Set STRIPE_WEBHOOK_SECRETS to the list of your endpoint's signing secrets (whsec_…); where settings "
            "come from the environment, set STRIPE_WEBHOOK_SECRET.",
            id="billing.W001",
        )
    ]


def check_api_key(**kwargs: Any) -> list[checks.CheckMessage]:
    """dj-stripe takes no key of another shape, and every drain would fail on it."""
    mode = "live" if conf.live_mode else "test"
    if not re.match(API_KEY_REGEX, conf.api_key) or conf.api_key.startswith("pk_"):
        is_what = "not a secret key of Stripe's" if conf.api_key else "empty"
        problem, hint = f"STRIPE_SECRET_KEY is {is_what}.", f"Set STRIPE_SECRET_KEY to your sk_{mode}_… key."
    elif f"_{mode}_" not in conf.api_key[:8]:
        problem = f"STRIPE_SECRET_KEY is not a {mode} mode key, while STRIPE_LIVE_MODE is {conf.live_mode}."
        hint = f"Set STRIPE_SECRET_KEY to your sk_{mode}_… key, or STRIPE_LIVE_MODE to {not conf.live_mode}."
    else:
        return []
    return [checks.Error(problem, hint=hint, id="billing.E001")]


def check_subscriber_model(**kwargs: Any) -> list[checks.CheckMessage]:
    try:
        apps.get_model(conf.subscriber_model)
    except (LookupError, ValueError):
        return [
            checks.Error(
                f"BILLING_SUBSCRIBER_MODEL names no installed model: {conf.subscriber_model!r}.",
                hint="Set it to 'app_label.Model' of an installed app, or leave it out for the user model.",
                id="billing.E002",
            )
        ]
    return []

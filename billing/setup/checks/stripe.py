"""These checks cover the settings for calls to Stripe and for its webhooks."""

import re

from djstripe.models.api import API_KEY_REGEX
from stripe._api_version import _ApiVersion

from billing.conf import conf

from .problems import Check, Problem, finds
from .values import is_right


@finds("billing.W001")
def check_webhook_secret() -> Problem:
    """STRIPE_WEBHOOK_SECRETS has a secret to verify events with."""
    if not is_right("STRIPE_WEBHOOK_SECRETS") or conf.webhook_secrets:
        return None
    return (
        "No webhook secret is set, so every event is refused.",
        "Set STRIPE_WEBHOOK_SECRETS to the list of your endpoint's signing secrets (whsec_…).",
    )


@finds("billing.E001")
def check_api_key() -> Problem:
    """STRIPE_SECRET_KEY is a secret key of Stripe, of the mode that STRIPE_LIVE_MODE says.

    dj-stripe accepts no key of another shape, and the worker would fail on it.
    """
    if not is_right("STRIPE_SECRET_KEY"):
        return None
    mode = "live" if conf.live_mode else "test"
    if not re.match(API_KEY_REGEX, conf.api_key) or conf.api_key.startswith("pk_"):
        is_what = "not a secret key of Stripe's" if conf.api_key else "empty"
        return f"STRIPE_SECRET_KEY is {is_what}.", f"Set STRIPE_SECRET_KEY to your sk_{mode}_… key."
    if f"_{mode}_" not in conf.api_key[:8]:
        return (
            f"STRIPE_SECRET_KEY is not a {mode} mode key, while STRIPE_LIVE_MODE is {conf.live_mode}.",
            f"Set STRIPE_SECRET_KEY to your sk_{mode}_… key, or STRIPE_LIVE_MODE to {not conf.live_mode}.",
        )
    return None


@finds("billing.W007")
def check_api_version() -> Problem:
    """STRIPE_API_VERSION is the version that the installed stripe package is built for."""
    if not is_right("STRIPE_API_VERSION") or conf.api_version == _ApiVersion.CURRENT:
        return None
    return (
        f"STRIPE_API_VERSION is {conf.api_version}; the installed stripe package is built for {_ApiVersion.CURRENT}.",
        "Install the stripe package that this release names, and leave STRIPE_API_VERSION out (docs/upgrading.md).",
    )


@finds("billing.W008")
def check_mode() -> Problem:
    """STRIPE_LIVE_MODE is off if STRIPE_API_BASE is a sandbox."""
    if not (conf.live_mode and is_right("STRIPE_API_BASE") and conf.is_sandbox):
        return None
    return (
        "STRIPE_LIVE_MODE is on, but STRIPE_API_BASE is this machine, so nobody would be billed.",
        "Remove STRIPE_API_BASE to use the real Stripe, or STRIPE_LIVE_MODE to use the sandbox.",
    )


CHECKS: tuple[Check, ...] = (check_webhook_secret, check_api_key, check_api_version, check_mode)

"""A project's headers and cookies may keep buyers from reaching Stripe, or from coming back signed in."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from billing.conf import conf

from .problems import Check, Problem, finds
from .values import is_right

STRIPES = ("https://checkout.stripe.com", "https://billing.stripe.com")
ANY = {"*", "https:"}


@finds("billing.W009")
def check_form_action() -> Problem:
    """`form-action` of the content security policy, if set, allows Stripe's pages.

    Browsers hold the redirect after a form to it: "Choose Pro" and "Cards and address" would do nothing.
    """
    if not is_right("STRIPE_API_BASE"):
        return None
    missing = sorted({origin for allowed in _form_actions() for origin in _wanted() if not _allows(allowed, origin)})
    if not missing:
        return None
    return (
        "The content security policy keeps buyers from Stripe's pages: form-action does not allow them.",
        f"Add to form-action: {', '.join(missing)}.",
    )


def _wanted() -> tuple[str, ...]:
    api = urlsplit(conf.api_base)
    return (f"{api.scheme}://{api.netloc}",) if conf.is_sandbox else STRIPES


def _form_actions() -> Iterator[set[str]]:
    """Yield the sources of each policy that is enforced: django-csp's, old and new, and Django 6's own."""
    new: Any = getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}
    for sources in (
        new.get("DIRECTIVES", {}).get("form-action"),
        getattr(settings, "CSP_FORM_ACTION", None),
        (getattr(settings, "SECURE_CSP", None) or {}).get("form-action"),
    ):
        if sources is not None:
            yield {str(source) for source in ([sources] if isinstance(sources, str) else sources)}


def _allows(sources: set[str], origin: str) -> bool:
    host = urlsplit(origin).netloc
    named = {origin, host, f"*.{host.partition('.')[2]}", f"https://*.{host.partition('.')[2]}"}
    return bool(sources & (ANY | named)) or any(source.startswith(f"{origin}/") for source in sources)


@finds("billing.W010")
def check_session_cookie() -> Problem:
    """SESSION_COOKIE_SAMESITE is not "Strict", so that buyers are still signed in as they come back from Stripe."""
    if str(settings.SESSION_COOKIE_SAMESITE).lower() != "strict":
        return None
    return (
        'SESSION_COOKIE_SAMESITE is "Strict": who comes back from Checkout is asked to log in.',
        'Set SESSION_COOKIE_SAMESITE to "Lax", Django\'s default.',
    )


@finds("billing.W011")
def check_body_size() -> Problem:
    """DATA_UPLOAD_MAX_MEMORY_SIZE is no less than BILLING_WEBHOOK_MAX_BYTES."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if most is None or not is_right("BILLING_WEBHOOK_MAX_BYTES") or most >= conf.webhook_max_bytes:
        return None
    return (
        f"Django refuses bodies above DATA_UPLOAD_MAX_MEMORY_SIZE, {most} bytes, and an event may be larger.",
        f"Set DATA_UPLOAD_MAX_MEMORY_SIZE to at least {conf.webhook_max_bytes}.",
    )


CHECKS: tuple[Check, ...] = (check_form_action, check_session_cookie, check_body_size)

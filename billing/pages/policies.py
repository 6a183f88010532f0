"""A page that shows an embedded Checkout lets Stripe's script and frames in, where the site has a policy for its
content; a site without one sends none.

Both ways of Django are known: its own (SECURE_CSP, from 6.0), and django-csp (CONTENT_SECURITY_POLICY).
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from billing.conf import conf

# https://docs.stripe.com/security/guide#content-security-policy
STRIPES = {
    "script-src": ["https://checkout.stripe.com", "https://js.stripe.com", "https://*.js.stripe.com"],
    "frame-src": [
        "https://checkout.stripe.com",
        "https://js.stripe.com",
        "https://*.js.stripe.com",
        "https://hooks.stripe.com",
    ],
    "connect-src": ["https://checkout.stripe.com", "https://api.stripe.com"],
    "img-src": ["https://*.stripe.com"],
}
SENT = "Content-Security-Policy"


def allowing_stripe(response: HttpResponse) -> HttpResponse:
    """Return the response with the site's policy, in which Stripe is let in. The middleware leaves it as it is."""
    policy = _policy_of_site()
    if policy is not None:
        response[SENT] = _header({**policy, **{name: _with_stripe(policy, name) for name in STRIPES}})
    return response


def _with_stripe(policy: dict[str, Any], name: str) -> list[str]:
    """Return the sources of a directive with Stripe's; one that the site leaves out has those of `default-src`."""
    known = policy.get(name, policy.get("default-src"))
    sources = [known] if isinstance(known, str) else list(known or [])
    return [source for source in sources if str(source) != "'none'"] + _stripes(name)


def _stripes(name: str) -> list[str]:
    if not conf.is_sandbox:
        return STRIPES[name]
    api = urlsplit(conf.api_base)
    return [f"{api.scheme}://{api.netloc}"]


def _policy_of_site() -> dict[str, Any] | None:
    own: Any = getattr(settings, "SECURE_CSP", None)
    of_package: Any = getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}
    return own or of_package.get("DIRECTIVES") or None


def _header(policy: dict[str, Any]) -> str:
    """Write the policy; a directive without sources (True) is its name alone, one that is off is left out."""
    written = (_directive(name, sources) for name, sources in policy.items() if sources not in (None, False))
    return "; ".join(written)


def _directive(name: str, sources: Any) -> str:
    if sources is True:
        return name
    listed: Iterable[Any] = [sources] if isinstance(sources, str) else sources
    return " ".join([name, *map(str, listed)])

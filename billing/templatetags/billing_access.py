"""`{% load billing_access %}` lets a template show parts only to subscribers with access."""

from typing import Any

from django import template

from billing import access
from billing.access import payer

register = template.Library()


@register.simple_tag(takes_context=True)
def has_access(context: Any, subscriber: Any = None, plan: str = "", feature: str = "", line: str = "") -> bool:
    """Return whether the subscriber given, or by default the one behind this request, has access. One query.

    `{% has_access as is_in %}{% if is_in %}…` asks about the subscriber of the request.

    `{% has_access team plan="pro" as is_in %}`, `{% has_access feature="exports" as may_export %}` ask for more.
    """
    asked = _payer(context) if subscriber is None else subscriber
    return access.has_access(asked, plan=plan, feature=feature, line=line)


def _payer(context: Any) -> Any:
    """Return who pays for this request; in a template rendered without a request, the user in the context."""
    return payer.payer_of(context["request"]) if "request" in context else context.get("user")

"""`{% load billing_access %}`: what a template shows only to who has access."""

from typing import Any

from django import template

from billing import access
from billing.access import payer

register = template.Library()


@register.simple_tag(takes_context=True)
def has_access(context: Any, subscriber: Any = None, plan: str = "", feature: str = "") -> bool:
    """`{% has_access as is_in %}{% if is_in %}…`: who pays for this request, or the subscriber given. One query.

    `{% has_access team plan="pro" as is_in %}`, `{% has_access feature="exports" as may_export %}`.
    """
    asked = _payer(context) if subscriber is None else subscriber
    return access.has_access(asked, plan=plan, feature=feature)


def _payer(context: Any) -> Any:
    """A template rendered without its request knows the user at most."""
    return payer.payer_of(context["request"]) if "request" in context else context.get("user")

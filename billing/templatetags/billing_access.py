"""`{% load billing_access %}`: what a template shows only to who has access."""

from typing import Any

from django import template

from billing import access

register = template.Library()


@register.simple_tag(takes_context=True)
def has_access(context: Any, subscriber: Any = None, plan: str = "", feature: str = "") -> bool:
    """`{% has_access as is_in %}{% if is_in %}…`: the signed-in user, or the subscriber given. One query.

    `{% has_access team plan="pro" as is_in %}`, `{% has_access feature="exports" as may_export %}`.
    """
    return access.has_access(context.get("user") if subscriber is None else subscriber, plan=plan, feature=feature)

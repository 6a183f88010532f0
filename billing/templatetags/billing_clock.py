"""`{% load billing_clock %}`: the time that the rules go by, shown where it is a sandbox's."""

from typing import Any

from django import template

from billing import clock

register = template.Library()


@register.inclusion_tag("billing/clock.html")
def sandbox_clock() -> dict[str, Any]:
    """A ribbon with the sandbox's time; nothing where the rules go by another clock. No query."""
    return {"now": clock.now() if clock.is_the_sandboxs() else None}

"""`{% load billing_clock %}` shows the time of the sandbox's clock."""

from typing import Any

from django import template

from billing import clock

register = template.Library()


@register.inclusion_tag("billing/clock.html")
def sandbox_clock() -> dict[str, Any]:
    """Show a ribbon with the sandbox's time; show nothing where the rules use another clock. No query."""
    return {"now": clock.now() if clock.is_the_sandboxs() else None}

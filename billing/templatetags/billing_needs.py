"""`{% load billing_needs %}` gives the admin's first page what needs a person today."""

from typing import Any

from django import template

from billing.monitoring import needs

register = template.Library()


@register.simple_tag(takes_context=True)
def needs_of_today(context: Any) -> list[needs.Waiting] | None:
    """Return what waits for a person now, of the rows that the reader may see; None if they may see none."""
    return needs.waiting(context["request"])

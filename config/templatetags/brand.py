"""This tag writes the product's name on a page, on error pages too, which no context processor reaches."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def product_name() -> str:
    return str(settings.NOTIFICATIONS_PRODUCT_NAME)

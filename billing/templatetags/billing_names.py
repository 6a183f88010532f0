"""`{% load billing_names %}` gives templates the names that follow BILLING_APP_LABEL."""

from typing import Any

from django import template
from django.urls import reverse

from billing import commands, site
from billing.conf import conf

register = template.Library()


@register.simple_tag
def billing_label() -> str:
    """Return the app's label."""
    return conf.app_label


@register.simple_tag
def billing_url(name: str, *args: Any) -> str:
    """Return the path of one of billing's pages: `{% billing_url "account" %}`, `{% billing_url "pack" "extra" %}`."""
    return site.path_of(name, *args)


@register.simple_tag
def billing_admin_url(name: str) -> str:
    """Return the path of one of billing's pages in the admin."""
    return reverse(f"admin:{conf.app_label}_{name}")


@register.simple_tag
def billing_site() -> dict[str, str]:
    """Return the parts of BILLING_SITE; an e-mail address for support becomes a link."""
    found = dict(conf.site_words)
    support = found.get("support", "")
    if "@" in support and not support.startswith("mailto:"):
        found["support"] = f"mailto:{support}"
    return found


@register.filter
def spelled(text: str) -> str:
    """Return a text with our commands by the names that run them here."""
    return commands.spelled(text)


@register.filter
def our_permission(perms: Any, codename: str) -> bool:
    """Return whether the reader has one of billing's permissions."""
    return bool(perms[conf.app_label][codename])

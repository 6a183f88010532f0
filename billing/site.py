"""This module builds the site's own addresses, for mails, Stripe and API clients."""

from typing import Any

from django.conf import settings
from django.urls import get_script_prefix, reverse

from billing.conf import conf


def path_of(name: str, *args: Any) -> str:
    """Return the path of one of our pages, by its name in `billing.urls`."""
    return reverse(f"{conf.app_label}:{name}", args=args)


def page(name: str) -> str:
    """Return the address to which people are sent from elsewhere: the page that BILLING_PAGES names, else ours."""
    return conf.pages.get(name, "") or absolute(path_of(name))


def absolute(path: str) -> str:
    """Return the address of a path that `path_of` gave.

    A site mounted below a path (`/shop`) has it at the end of SITE_URL. `reverse` puts it before paths in a web request
    and not in the worker, so it is taken off first; with FORCE_SCRIPT_NAME the path is known anyhow.
    """
    return f"{_mounted_at()}/{without_prefix(path).lstrip('/')}"


def without_prefix(path: str) -> str:
    """Return a path of ours as the URLconf has it, without the path that the site is mounted below."""
    prefix = get_script_prefix()
    return path.removeprefix(prefix.rstrip("/")) if path.startswith(prefix) else path


def _mounted_at() -> str:
    forced = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    return conf.site_url if conf.site_url.endswith(forced) else conf.site_url + forced

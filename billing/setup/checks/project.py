"""A project needs more than the settings BILLING_…: addresses, cache, database, and what our pages use."""

from contextlib import suppress
from inspect import isclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, Resolver404, resolve
from django.utils import translation
from django.utils.module_loading import import_string

from billing import site
from billing.cache import counting_cache_name

from .problems import Check, Problem, finds

# With these, each process counts for itself, or two writers at once count as one.
INEXACT_CACHES = {
    f"django.core.cache.backends.{name}"
    for name in ("dummy.DummyCache", "locmem.LocMemCache", "filebased.FileBasedCache", "db.DatabaseCache")
}
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]


@finds("billing.E004")
def check_mirror() -> Problem:
    """DJSTRIPE_FOREIGN_KEY_TO_FIELD is set."""
    if hasattr(settings, "DJSTRIPE_FOREIGN_KEY_TO_FIELD"):
        return None
    return (
        "DJSTRIPE_FOREIGN_KEY_TO_FIELD is not set, and dj-stripe's migrations fail without it.",
        'Import it from billing.hosting, or set "id"; "djstripe_id" where dj-stripe was before.',
    )


@finds("billing.E005")
def check_addresses() -> Problem:
    """ROOT_URLCONF includes billing.urls."""
    try:
        site.path_of("stripe_webhook")
    except NoReverseMatch:
        return (
            "ROOT_URLCONF does not include billing.urls, so webhooks and Checkout do not work.",
            'Add path("", include("billing.urls")) to the urlpatterns of ROOT_URLCONF.',
        )
    return None


@finds("billing.E007")
def check_time_zones() -> Problem:
    """USE_TZ is on: every time in billing is aware."""
    if settings.USE_TZ:
        return None
    return "USE_TZ is off, but billing uses aware times.", "Set USE_TZ = True."


@finds("billing.E009")
def check_middleware() -> Problem:
    """MIDDLEWARE has sessions, CSRF, authentication and messages, as Django's classes or subclasses."""
    present = [found for path in settings.MIDDLEWARE if isclass(found := _imported(path))]
    missing = [path for path in MIDDLEWARE if not any(issubclass(found, import_string(path)) for found in present)]
    if not missing:
        return None
    return "MIDDLEWARE lacks what billing's pages need.", f"Add to MIDDLEWARE: {', '.join(missing)}."


@finds("billing.E010")
def check_templates() -> Problem:
    """TEMPLATES finds billing's pages, and its context processors provide request, user and messages."""
    try:
        template: Any = get_template("billing/base.html")
    except TemplateDoesNotExist:
        return "TEMPLATES does not find billing's templates.", 'Set "APP_DIRS": True for the DjangoTemplates backend.'
    present = template.backend.engine.context_processors
    missing = [path for path in CONTEXT_PROCESSORS if path not in present]
    if not missing:
        return None
    return (
        "TEMPLATES lacks context processors that billing's pages need.",
        f'Add to "context_processors": {", ".join(missing)}.',
    )


@finds("billing.E011")
def check_rate_limit_cache() -> Problem:
    """RATELIMIT_USE_CACHE, if set, names one of CACHES."""
    name = counting_cache_name()
    if name in settings.CACHES:
        return None
    return (
        f"RATELIMIT_USE_CACHE names no cache: {name!r}.",
        f"Set it to one of {', '.join(settings.CACHES)}, or leave it out.",
    )


@finds("billing.W002")
def check_cache() -> Problem:
    """The cache counts exactly across processes: rate limits and the budget of calls to Stripe need it."""
    name = counting_cache_name()
    backend = settings.CACHES.get(name, {}).get("BACKEND", "")
    if backend not in INEXACT_CACHES:
        return None
    return (
        f"CACHES[{name!r}] does not count exactly: {backend}.",
        "Import CACHES from billing.hosting (and run `manage.py setup`, which makes its table), or use Redis.",
    )


@finds("billing.W005")
def check_login() -> Problem:
    """LOGIN_URL leads to a page or to another site, where visitors log in."""
    try:
        url = urlsplit(resolve_url(settings.LOGIN_URL))
    except NoReverseMatch:
        url = urlsplit("")
    if not url.netloc and not _is_page(site.without_prefix(url.path)):
        return (
            f"LOGIN_URL is {settings.LOGIN_URL!r}, which is not a page.",
            'Set LOGIN_URL to the address or name of your login page, for example "admin:login".',
        )
    return None


def _is_page(path: str) -> bool:
    """Return whether an address leads to a page, or to one below the language of `i18n_patterns`."""
    for address in (path, f"/{settings.LANGUAGE_CODE}{path}"):
        with suppress(Resolver404), translation.override(settings.LANGUAGE_CODE):
            resolve(address)
            return True
    return False


def _imported(path: str) -> Any:
    """Return the object at a dotted path; None if it cannot be imported, which Django reports itself."""
    try:
        return import_string(path)
    except ImportError:
        return None


CHECKS: tuple[Check, ...] = (
    check_mirror,
    check_addresses,
    check_time_zones,
    check_middleware,
    check_templates,
    check_rate_limit_cache,
    check_cache,
    check_login,
)

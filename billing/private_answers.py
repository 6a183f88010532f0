"""No cache may keep an answer about one person, and no shared cache an answer in one language."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

CREDENTIALS = ("Authorization", "Cookie")


def keep_private(response: HttpResponseBase) -> None:
    """Mark an answer about one person: caches must not store it, and it depends on the credentials."""
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, CREDENTIALS)


def keep_by_language(response: HttpResponseBase) -> None:
    """Mark an answer that depends on the visitor's languages.

    `Vary` alone is not enough: Django's cache for a whole site takes the active language in place of the header, and
    many CDNs pass over it. So only browsers keep the answer.
    """
    patch_cache_control(response, private=True)
    patch_vary_headers(response, ["Accept-Language"])


def is_personal(request: HttpRequest) -> bool:
    """Return whether an answer may be about one person: the request has credentials, or may send them in its body."""
    return any(request.headers.get(name) for name in CREDENTIALS) or request.method not in {"GET", "HEAD", "OPTIONS"}

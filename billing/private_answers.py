"""Answers about one person must not be kept by any cache."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

CREDENTIALS = ("Authorization", "Cookie")


def keep_private(response: HttpResponseBase) -> None:
    """Mark an answer about one person: caches must not store it, and it depends on the credentials."""
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, CREDENTIALS)


def is_personal(request: HttpRequest) -> bool:
    """Return whether an answer may be about one person: the request has credentials, or may send them in its body."""
    return any(request.headers.get(name) for name in CREDENTIALS) or request.method not in {"GET", "HEAD", "OPTIONS"}

"""What no cache between us and a person may keep."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

CREDENTIALS = ("Authorization", "Cookie")


def keep_private(response: HttpResponseBase) -> None:
    """Mark an answer about one person: it is stored nowhere, and differs by who asks."""
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, CREDENTIALS)


def is_personal(request: HttpRequest) -> bool:
    """Whether an answer may be about one person: they show who they are, or send what tells it."""
    return any(request.headers.get(name) for name in CREDENTIALS) or request.method not in {"GET", "HEAD", "OPTIONS"}

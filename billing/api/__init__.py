"""The JSON API."""

from .documented import CSRF_NOTE, TOO_MANY, UNAUTHENTICATED, error
from .errors import Refusal
from .serializers import ErrorSerializer
from .throttle import checkout_wait, link_wait, return_wait, stripe_wait

__all__ = [
    "CSRF_NOTE",
    "TOO_MANY",
    "UNAUTHENTICATED",
    "ErrorSerializer",
    "Refusal",
    "checkout_wait",
    "error",
    "link_wait",
    "return_wait",
    "stripe_wait",
]

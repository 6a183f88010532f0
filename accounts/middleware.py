"""Middleware for every page that takes a password: it answers 429 on too many tries, and sets the cookie of a known
browser."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from . import devices
from .guessing import TooManyGuesses


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return a page with status 429 that says when to try again."""
    response = render(request, "billing/too_often.html", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response


class PasswordGuard:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        devices.set_cookie(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooManyGuesses):
            return too_many(request, exception.seconds)
        return None

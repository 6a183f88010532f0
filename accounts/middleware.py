"""Every page that takes a password needs this middleware: it answers 429 to too many guesses, and sets the cookie of
a known browser."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from billing.pages import too_often

from . import devices
from .guessing import TooManyGuesses


class PasswordGuard:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        devices.set_cookie(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooManyGuesses):
            return too_often(request, exception.seconds)
        return None

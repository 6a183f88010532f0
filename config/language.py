"""This middleware sets the language in which a request is answered."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware


class LocaleMiddleware(DjangoLocaleMiddleware):
    """Use the language that a signed-in user has chosen, else that of the cookie or the browser.

    The choice takes the place of the cookie, so that Stripe's pages follow it too. The user is read only where there
    may be a session: visitors cost no query, and a program with a token says its language by `Accept-Language`.
    """

    def process_request(self, request: HttpRequest) -> None:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            user: Any = request.user
            if chosen := getattr(user, "language", ""):
                request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = chosen
        super().process_request(request)

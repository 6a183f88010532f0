"""This middleware sets the language in which a request is answered."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware
from django.utils import translation


class LocaleMiddleware(DjangoLocaleMiddleware):
    """Use the language that a signed-in user has chosen, else that of the cookie or the browser.

    It stands behind the authentication, and reads the user only where a session may have one: a visitor without a
    session costs no query, and a program with a token says its language by `Accept-Language`.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        user: Any = request.user
        chosen = getattr(user, "language", "") if user.is_authenticated else ""
        if chosen in dict(settings.LANGUAGES):
            translation.activate(chosen)
            request.LANGUAGE_CODE = translation.get_language()

"""A signed cookie marks each browser in which a user has logged in, so that strangers' failures do not slow the user
down.

The signature depends on the password: after a change, no browser is known.
"""

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .models import User

KEPT_SECONDS = 365 * 24 * 60 * 60


def known(request: HttpRequest, user: User) -> str:
    """Return the id of the browser, if this user has logged in with it; otherwise an empty string."""
    salt = user.get_session_auth_hash()
    return request.get_signed_cookie(_name(user), default="", salt=salt, max_age=KEPT_SECONDS) or ""


def remember(request: HttpRequest, user: User) -> None:
    """Let `accounts.middleware` set the cookie on the answer to this request."""
    marked: Any = request
    marked.known_device_of = user


def set_cookie(request: HttpRequest, response: HttpResponse) -> None:
    user: User | None = getattr(request, "known_device_of", None)
    if user is not None:
        response.set_signed_cookie(
            _name(user),
            known(request, user) or secrets.token_urlsafe(16),
            salt=user.get_session_auth_hash(),
            max_age=KEPT_SECONDS,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            httponly=True,
            samesite="Lax",
        )


def _name(user: User) -> str:
    """Return a cookie name for each user: several people may share a browser."""
    return f"device_{hashlib.sha256(str(user.pk).encode()).hexdigest()[:12]}"

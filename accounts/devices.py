"""The browsers a user has signed in with: each keeps a signed cookie, so that strangers' failures do not slow it down.

The signature hangs on the user's password: after it changes no browser is known.
"""

import hashlib
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .models import User

KEPT_SECONDS = 365 * 24 * 60 * 60


def known(request: HttpRequest, user: User) -> str:
    """The id of the browser that asks, when this user has signed in with it; else an empty string."""
    salt = user.get_session_auth_hash()
    return request.get_signed_cookie(_name(user), default="", salt=salt, max_age=KEPT_SECONDS) or ""


def remember(request: HttpRequest, user: User) -> None:
    """Have the answer to this request set the cookie; `accounts.middleware` does."""
    request.known_device_of = user  # type: ignore[attr-defined]


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
    """One cookie for each user: several people may share a browser."""
    return f"device_{hashlib.sha256(str(user.pk).encode()).hexdigest()[:12]}"

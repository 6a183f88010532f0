"""Django's `authenticate()` checks passwords here, and counts wrong ones, for every page and API."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from .guessing import guarded
from .models import User


class GuardedBackend(ModelBackend):
    """This backend checks users and passwords as Django's does, and counts failures."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Return the user, or None. Raises TooManyGuesses.

        Django's own backend hashes a password for unknown accounts too, and their failures are counted like others.
        """
        email = username or kwargs.get(User.USERNAME_FIELD)
        if email is None or password is None:
            return None
        check = super().authenticate
        return guarded(request, str(email), lambda: check(request, username=email, password=password))

    async def aauthenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:  # type: ignore[override]  # any credentials
        return await sync_to_async(self.authenticate)(request, **credentials)


def is_password_of(request: HttpRequest, user: User, password: str) -> bool:
    """Return whether this is the password of the user, even a locked one. Raises TooManyGuesses."""
    return guarded(request, user.email, lambda: user.check_password(password))

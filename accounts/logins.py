"""A row for each session of a user, so that they can see where they are logged in and log out there.

Revoking a row deletes its session. A session of an earlier password has ended already, and is not listed.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from .models import LoginSession, User, digest

BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
NAMES = {"Edg": "Edge", "OPR": "Opera"}
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")


def remember(request: HttpRequest, user: User) -> None:
    """Note the session of this request, under the key that it has now."""
    if request.session.session_key is None:
        request.session.save()
    LoginSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={"user": user, "browser": browser_of(request), "password_digest": digest(user.password)},
    )


def of(user: User) -> list[LoginSession]:
    """Return the sessions that still work, newest first; rows of others are deleted."""
    rows = list(LoginSession.objects.filter(user=user).order_by("-created_at"))
    now = digest(user.password)
    dead = [row.pk for row in rows if row.password_digest != now or not _store(row.session_key).exists(row.session_key)]
    LoginSession.objects.filter(pk__in=dead).delete()
    return [row for row in rows if row.pk not in dead]


def revoke(row: LoginSession) -> None:
    _store(row.session_key).delete(row.session_key)
    row.delete()


def browser_of(request: HttpRequest) -> str:
    """Return a browser in words, such as "Firefox, Linux"; "" for a program that names none."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for name in BROWSERS if f"{name}/" in agent), "")
    system = next((name for name in SYSTEMS if name in agent), "")
    return ", ".join(filter(None, [NAMES.get(browser, browser), system]))


def on_logged_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    if isinstance(user, User):
        remember(request, user)


def connect() -> None:
    user_logged_in.connect(on_logged_in, dispatch_uid="accounts.logins.on_logged_in")


def _store(key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)

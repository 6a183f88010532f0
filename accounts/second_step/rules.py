"""These rules say which users must pass a second step, and which sessions have passed it."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django_otp import login as otp_login
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential, WebAuthnUserHandle

from accounts import devices, logins
from accounts.models import User
from billing import signals

from . import codes

# Recovery codes replace one of these, but do not count as one.
FACTORS: tuple[type[Device], ...] = (TOTPDevice, WebAuthnCredential)


def factors_of(user: Any) -> list[Any]:
    return [factor for model in FACTORS for factor in model.objects.filter(user=user, confirmed=True)]


def has_factor(user: Any) -> bool:
    return any(model.objects.filter(user=user, confirmed=True).exists() for model in FACTORS)


def has_passed(request: HttpRequest) -> bool:
    """Return whether this session has passed, by a device that the user still has."""
    return getattr(request.user, "otp_device", None) is not None


def may_enter(request: HttpRequest) -> bool:
    """Return whether this session may enter the admin: it has passed the second step, or none is required."""
    if has_passed(request):
        return True
    marked: Any = request
    if not hasattr(marked, "is_free_of_second_step"):
        marked.is_free_of_second_step = not settings.STAFF_SECOND_FACTOR and not has_factor(request.user)
    return bool(marked.is_free_of_second_step)


def address(request: HttpRequest, name: str = "accounts:second_step") -> str:
    """Return the address of the page for the second step, which then redirects to where the request was going."""
    following = request.GET.get("next", "")
    return f"{reverse(name)}?{urlencode({'next': following})}" if following else reverse(name)


def pass_step(request: HttpRequest, device: Device) -> None:
    request.session.cycle_key()
    otp_login(request, device)
    user: Any = request.user
    devices.remember(request, user)
    logins.remember(request, user)


@transaction.atomic
def remove(factor: Device) -> None:
    """Remove a device. Recovery codes go with the last one, or they would be a second step on their own."""
    codes.lock(factor.user)
    factor.delete()
    if not has_factor(factor.user):
        remove_all(factor.user)


def remove_all(user: Any) -> None:
    for model in (*FACTORS, StaticDevice, WebAuthnUserHandle):
        model.objects.filter(user=user).delete()


def on_logged_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Mark the browser as known after a password alone, but only if the user has no second step."""
    if not has_factor(user):
        devices.remember(request, user)


def on_account_closed(*, subscriber: Any, **_: Any) -> None:
    if isinstance(subscriber, User):
        remove_all(subscriber)


def connect() -> None:
    user_logged_in.connect(on_logged_in, dispatch_uid="accounts.second_step.on_logged_in")
    signals.account_closed.connect(on_account_closed, dispatch_uid="accounts.second_step.on_account_closed")

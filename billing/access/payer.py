"""Who pays for a request, and whether who sent it may manage that: the one place that knows of `request.user`.

The subscriber may be a user or what users belong to, such as an organisation: BILLING_REQUEST_SUBSCRIBER finds it, and
BILLING_MAY_MANAGE says who of its members may do more than use what is paid for.
"""

from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.utils.module_loading import import_string

from billing.conf import conf


class NobodyPays(PermissionDenied):
    """The user belongs to no subscriber."""

    def __init__(self) -> None:
        super().__init__(f"You belong to no {noun()}, and nothing can be bought or used without one.")


class MayNotManage(PermissionDenied):
    """What is paid for may be used, and not changed."""

    def __init__(self) -> None:
        super().__init__(f"You may use what your {noun()} pays for. To change it, ask who manages its billing.")


def payer_of(request: Any) -> Any:
    """The subscriber that pays for this request, Django's or DRF's; None for who is not signed in or has none, or one
    who is in no table (any more)."""
    if not is_signed_in(request):
        return None
    if not conf.request_subscriber:
        raise ImproperlyConfigured("BILLING_REQUEST_SUBSCRIBER is not set, and the subscribers are not the users.")
    found = import_string(conf.request_subscriber)(request)
    return None if found is None or found.pk is None or found._state.adding else found


def required_payer(request: Any) -> Any:
    """Raises `NobodyPays`."""
    subscriber = payer_of(request)
    if subscriber is None:
        raise NobodyPays
    return subscriber


def managed_payer(request: Any) -> Any:
    """The subscriber whose subscription this request may change. Raises `NobodyPays`, `MayNotManage`."""
    subscriber = required_payer(request)
    if not may_manage(request, subscriber):
        raise MayNotManage
    return subscriber


def reason_not_to_manage(request: Any, subscriber: Any) -> str:
    """What a page says to who may not change the subscription of `subscriber`; empty where they may."""
    if subscriber is None:
        return str(NobodyPays())
    return "" if may_manage(request, subscriber) else str(MayNotManage())


def may_manage(request: Any, subscriber: Any) -> bool:
    if subscriber is None:
        return False
    return bool(import_string(conf.may_manage)(request, subscriber)) if conf.may_manage else True


def is_signed_in(request: Any) -> bool:
    """Not so where nobody authenticates requests at all."""
    user = getattr(request, "user", None)
    return user is not None and bool(user.is_authenticated)


def the_user(request: Any) -> Any:
    """BILLING_REQUEST_SUBSCRIBER where users pay for themselves."""
    return request.user


def noun() -> str:
    """What a subscriber is called: "user", "organisation"."""
    return str(apps.get_model(conf.subscriber_model)._meta.verbose_name)

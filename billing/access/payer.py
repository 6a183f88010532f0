"""This module finds the subscriber who pays for a request, and checks whether the user may manage the subscription.

No other module reads `request.user`.

The subscriber may be a user or what users belong to, such as an organisation: BILLING_REQUEST_SUBSCRIBER finds it, and
BILLING_MAY_MANAGE says who of its members may do more than use what is paid for.
"""

from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from billing.conf import conf


class NobodyPays(PermissionDenied):
    """The user belongs to no subscriber."""

    def __init__(self) -> None:
        super().__init__(_("You don't belong to any {noun}, so you can't buy or use anything yet.").format(noun=noun()))


class MayNotManage(PermissionDenied):
    """The user may use what the subscriber pays for, but not change it."""

    def __init__(self) -> None:
        words = _("You can use what your {noun} pays for. To change it, ask the person who manages its billing.")
        super().__init__(words.format(noun=noun()))


def payer_of(request: Any) -> Any:
    """Return the subscriber who pays for this request, Django's or DRF's.

    Returns None if the user is not signed in or has no subscriber, or if the subscriber is not (or no longer) saved.
    """
    if not is_signed_in(request):
        return None
    if not conf.request_subscriber:
        raise ImproperlyConfigured("BILLING_REQUEST_SUBSCRIBER is not set, and the subscribers are not the users.")
    found = import_string(conf.request_subscriber)(request)
    return None if found is None or found.pk is None or found._state.adding else found


def required_payer(request: Any) -> Any:
    """Return the subscriber who pays for this request. Raises `NobodyPays`."""
    subscriber = payer_of(request)
    if subscriber is None:
        raise NobodyPays
    return subscriber


def managed_payer(request: Any) -> Any:
    """Return the subscriber whose subscription this request may change. Raises `NobodyPays`, `MayNotManage`."""
    subscriber = required_payer(request)
    if not may_manage(request, subscriber):
        raise MayNotManage
    return subscriber


def reason_not_to_manage(request: Any, subscriber: Any) -> str:
    """Return why the user may not change the subscription of `subscriber`, as a sentence for a page; "" if they may."""
    if subscriber is None:
        return str(NobodyPays())
    return "" if may_manage(request, subscriber) else str(MayNotManage())


def may_manage(request: Any, subscriber: Any) -> bool:
    if subscriber is None:
        return False
    return bool(import_string(conf.may_manage)(request, subscriber)) if conf.may_manage else True


def is_signed_in(request: Any) -> bool:
    """Return whether the request has an authenticated user; False if nothing authenticates requests."""
    user = getattr(request, "user", None)
    return user is not None and bool(user.is_authenticated)


def the_user(request: Any) -> Any:
    """Return the user: BILLING_REQUEST_SUBSCRIBER for users who pay for themselves."""
    return request.user


def noun() -> str:
    """Return the word for a subscriber: "user", "organisation"."""
    return str(apps.get_model(conf.subscriber_model)._meta.verbose_name)

"""Deletion of an account: `billing` cancels at Stripe and tells us when it is done. We lock the account first and
anonymise it at the end.

During a deletion the password and the revoked tokens are kept for one purpose: its owner may ask how far it is.
"""

import secrets
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction

from billing import signals
from billing.lifecycle import deletion

from .models import ApiToken, User

NOBODY = "deleted.invalid"


def close(user: User) -> None:
    """Begin to delete the account, or return the deletion that has begun. No Stripe call."""
    deletion.begin(user)


def is_closed(user: User) -> bool:
    """Return whether Stripe has confirmed and the account is anonymised."""
    leaving = deletion.of(user)
    return leaving is not None and leaving.is_done


def on_account_closing(*, subscriber: Any, **_: Any) -> None:
    """Lock the account: end its sessions by making it inactive, and revoke its tokens."""
    if not isinstance(subscriber, User):
        return
    ApiToken.objects.of(subscriber).revoke(ApiToken.Because.DELETION)
    subscriber.is_active = False
    subscriber.save(update_fields=["is_active"])


def on_account_closed(*, subscriber: Any, **_: Any) -> None:
    """Anonymise the account. Its address is free for a new registration; its row stays for rows that refer to it."""
    if not isinstance(subscriber, User):
        return
    subscriber.confirmed_email = ""
    subscriber.set_unusable_password()
    subscriber.is_active = subscriber.is_staff = subscriber.is_superuser = False
    subscriber.last_login = None
    _save_as_nobody(subscriber)
    subscriber.api_tokens.update(name="")
    subscriber.groups.clear()
    subscriber.user_permissions.clear()
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=subscriber.pk)
    about.update(object_repr=str(subscriber), change_message="")


def _save_as_nobody(user: User) -> None:
    """Save the user under a random address. If that is taken, another one is drawn."""
    while True:
        user.email = f"deleted-{secrets.token_hex(16)}@{NOBODY}"
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            if not User.objects.exclude(pk=user.pk).filter(email=user.email).exists():
                raise
        else:
            return


def connect() -> None:
    for receiver, signal in {
        on_account_closing: signals.account_closing,
        on_account_closed: signals.account_closed,
    }.items():
        signal.connect(receiver, dispatch_uid=f"accounts.{receiver.__name__}")

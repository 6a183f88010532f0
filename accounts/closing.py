"""Leaving: billing sees to Stripe and tells us when; here the account is locked at once and anonymised at the end.

While closing, the password is kept and the revoked tokens too, for one question alone: how far is it?
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
    """Begin to delete the account; asked again, it is on its way already. No Stripe call."""
    deletion.begin(user)


def is_closed(user: User) -> bool:
    """Stripe has confirmed, and nobody is left behind the row."""
    leaving = deletion.deletion_of(user)
    return leaving is not None and leaving.is_done


def on_account_closing(*, subscriber: Any, **_: Any) -> None:
    """Locked out: an inactive user's sessions are nobody's, and the tokens are revoked."""
    if not isinstance(subscriber, User):
        return
    ApiToken.objects.of(subscriber).revoke(ApiToken.Because.DELETION)
    subscriber.is_active = False
    subscriber.save(update_fields=["is_active"])


def on_account_closed(*, subscriber: Any, **_: Any) -> None:
    """Nobody any more: the address is free for a new registration, the row stays for what hangs on it."""
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
    """The name is random, so that nobody can be there first; should it be taken all the same, another is drawn."""
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

"""This module deletes an account: it locks the account at once, and anonymises it when billing signals that Stripe has
confirmed every cancellation.

Until then, the password and the revoked tokens still work for one question: how far is the deletion?
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
    """Begin to delete the account; do nothing if the deletion has begun. No Stripe call."""
    deletion.begin(user)


def is_closed(user: User) -> bool:
    """Return whether Stripe has confirmed and the user is anonymised."""
    found = deletion.deletion_of(user)
    return found is not None and found.is_done


def on_account_closing(*, subscriber: Any, **_: Any) -> None:
    """Lock the user out: an inactive user has no sessions, and the tokens are revoked."""
    if not isinstance(subscriber, User):
        return
    ApiToken.objects.of(subscriber).revoke(ApiToken.Because.DELETION)
    subscriber.login_sessions.all().delete()  # the sessions end with `is_active`
    subscriber.is_active = False
    subscriber.save(update_fields=["is_active"])


def on_account_closed(*, subscriber: Any, **_: Any) -> None:
    """Anonymise the user: the address is free for a new registration, the row stays because others refer to it."""
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
    """Save the user under a random name, which nobody can take first; if it is taken all the same, draw another."""
    while True:
        user.email = f"deleted-{secrets.token_hex(16)}@{NOBODY}"
        try:
            with transaction.atomic():
                user.save(force_update=True)
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

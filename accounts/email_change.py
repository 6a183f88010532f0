"""Users change their e-mail address: the new one is confirmed by the link that is sent there, and the old one is told.

The link carries the change, signed; nothing is stored before it is opened. It works for three days, once, for the user
who asked, and no longer after a change of password or of address.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from billing.subscriptions import customer_details

from . import addresses
from .models import User, digest

log = logging.getLogger(__name__)

SALT = "accounts.email_change"
TAKEN = _("An account with this address already exists.")
SAME = _("This is your address already.")


class Refused(Exception):
    """The address was not changed; the sentence is for people."""


def check(user: User, email: str) -> str:
    """Return the address as it is stored. Raises `Refused`."""
    spelled: str = addresses.spelled(email.strip())
    try:
        addresses.check(spelled)
        User(email=spelled).clean_fields(exclude={"password"})
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from None
    if spelled == user.email:
        raise Refused(str(SAME))
    if User.objects.filter(email=spelled).exists():
        raise Refused(str(TAKEN))
    return spelled


def send(user: User, email: str) -> bool:
    """Mail the link to the new address. Return False, and log the reason, if the mail could not be handed over."""
    context = {"old": user.email, "new": email, "link": link(user, email), "site": urlsplit(settings.SITE_URL).netloc}
    return _mail(user, email, "email_change", context)


def link(user: User, email: str) -> str:
    """Return the link; it starts with SITE_URL, never with the Host header of a request."""
    token = signing.dumps(_change(user, email), salt=SALT)
    return settings.SITE_URL + reverse("accounts:email_confirm", kwargs={"token": token})


def asked_by(user: User, token: str) -> str:
    """Return the new address that the link is for; "" where it is too old, used, or somebody else's."""
    try:
        found = signing.loads(token, salt=SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature:
        return ""
    email = str(found.get("new", ""))
    return email if found == _change(user, email) else ""


def change(user: User, email: str) -> None:
    """Set the confirmed address, have Stripe told, and tell the old address. Raises `Refused` where it was taken
    meanwhile.
    """
    old = user.email
    try:
        with transaction.atomic():
            changed = User.objects.filter(pk=user.pk, email=old, is_active=True).update(
                email=email, confirmed_email=email
            )
            if changed:
                user.refresh_from_db()
                customer_details.changed(user)
    except IntegrityError:
        raise Refused(str(TAKEN)) from None
    if changed:
        _mail(user, old, "email_changed", {"old": old, "new": email, "site": urlsplit(settings.SITE_URL).netloc})


def _change(user: User, email: str) -> dict[str, str]:
    return {"user": str(user.pk), "old": user.email, "new": email, "password": digest(user.password)[:16]}


def _mail(user: User, to: str, name: str, context: dict[str, Any]) -> bool:
    with translation.override(user.language or translation.get_language()):
        subject = render_to_string(f"accounts/{name}_subject.txt", context).strip()
        body = render_to_string(f"accounts/{name}_mail.txt", context)
    try:
        send_mail(subject, body, None, [to])
    except Exception:  # every mail provider has errors of its own
        log.exception("change of address not mailed", extra={"user": str(user.pk)})
        return False
    return True

"""This module confirms an address when its user, signed in, opens a link that was mailed there.

The link alone confirms nothing: mail scanners open links, and an address's owner must not confirm the account of a
stranger who signed up with it. Setting a new password by mail proves the address as well.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from .models import User

log = logging.getLogger(__name__)


class LinkSigner(PasswordResetTokenGenerator):
    """Signs links for one user, one address and this purpose. They expire after PASSWORD_RESET_TIMEOUT, or once the
    address is confirmed."""

    key_salt = "accounts.confirmation"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{user.pk}{timestamp}{user.email}{user.confirmed_email}"


signer = LinkSigner()


def is_confirmed(subscriber: Any) -> bool:
    """Return whether the user's address is confirmed; this site's BILLING_EMAIL_IS_CONFIRMED."""
    return not subscriber.must_confirm_email


def send(user: User) -> bool:
    """Mail the link. Return False, and log why, if the mail could not be sent."""
    context = {"user": user, "link": link(user), "site": urlsplit(settings.SITE_URL).netloc}
    subject = render_to_string("accounts/confirmation_subject.txt", context).strip()
    try:
        send_mail(subject, render_to_string("accounts/confirmation_mail.txt", context), None, [user.email])
    except Exception:  # every mail provider has errors of its own, and the account is there all the same
        log.exception("confirmation not mailed", extra={"user": str(user.pk)})
        return False
    return True


def link(user: User) -> str:
    """Return the link. It starts with SITE_URL, never with the Host header of the request."""
    words = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": signer.make_token(user)}
    return settings.SITE_URL + reverse("accounts:confirm", kwargs=words)


def is_link_of(user: User, uidb64: str, token: str) -> bool:
    return uidb64 == urlsafe_base64_encode(force_bytes(user.pk)) and signer.check_token(user, token)


def confirm(user: User) -> None:
    """Mark the user's present address as confirmed."""
    user.confirmed_email = user.email
    user.save(update_fields=["confirmed_email"])

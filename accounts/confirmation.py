"""Users confirm their address by opening a link in an e-mail while they are logged in.

The link alone confirms nothing: mail scanners open links, and the owner of an address with which a stranger has
signed up must not be led to confirm the stranger's account. Choosing a new password by e-mail proves the address as
well.
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
    """Sign a link for one user, one address and this purpose. It is valid for PASSWORD_RESET_TIMEOUT, until the
    address is confirmed."""

    key_salt = "accounts.confirmation"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{user.pk}{timestamp}{user.email}{user.confirmed_email}"


signer = LinkSigner()


def is_confirmed(subscriber: Any) -> bool:
    """Return whether the user has confirmed their address: this is BILLING_EMAIL_IS_CONFIRMED of this site."""
    return not subscriber.must_confirm_email


def send(user: User) -> bool:
    """Mail the link. Return False, and log the reason, if the mail could not be handed over."""
    context = {"user": user, "link": link(user), "site": urlsplit(settings.SITE_URL).netloc}
    subject = render_to_string("accounts/confirmation_subject.txt", context).strip()
    try:
        send_mail(subject, render_to_string("accounts/confirmation_mail.txt", context), None, [user.email])
    except Exception:  # every mail provider has errors of its own, and the account is there all the same
        log.exception("confirmation not mailed", extra={"user": str(user.pk)})
        return False
    return True


def link(user: User) -> str:
    """Return the link; it starts with SITE_URL, never with the Host header of a request."""
    words = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": signer.make_token(user)}
    return settings.SITE_URL + reverse("accounts:confirm", kwargs=words)


def is_link_of(user: User, uidb64: str, token: str) -> bool:
    return uidb64 == urlsafe_base64_encode(force_bytes(user.pk)) and signer.check_token(user, token)


def confirm(user: User) -> None:
    """Record that this address is the user's, unless they have another by now: a deleted account keeps no address."""
    if User.objects.filter(pk=user.pk, email=user.email).update(confirmed_email=user.email):
        user.confirmed_email = user.email

"""The API and the page create accounts by this one rule."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from . import addresses, confirmation
from .conf import conf
from .models import User


class Refused(Exception):
    """No account was created; `code` is stable, `field` names the wrong field, and the sentences are for people."""

    def __init__(self, code: str, field: str, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.code, self.field, self.sentences = code, field, sentences


def register(email: Any, password: Any, language: str = "") -> User:
    """Check the address and the password, then create the user, who gets e-mails in `language` and must confirm the
    address.

    Raises `Refused` with `invalid_email`, `weak_password` or `email_taken`; the database decides between two at once.
    """
    email, password = email.strip() if isinstance(email, str) else "", _text(password)
    _check("invalid_email", "email", lambda: addresses.check(email))
    _check("invalid_email", "email", lambda: User(email=email).clean_fields(exclude={"password"}))
    _check("weak_password", "password", lambda: validate_password(password, User(email=email)))
    user = _create(email, password, language)
    if conf.confirms_email:
        confirmation.send(user)
    return user


def _create(email: str, password: str, language: str) -> User:
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, language=language)
    except IntegrityError:
        raise Refused("email_taken", "email", [str(_("An account with this address already exists."))]) from None


def _text(value: Any) -> str:
    """Return a text without NUL: JSON may contain anything, and no database stores a NUL."""
    return value.replace("\0", "") if isinstance(value, str) else ""


def _check(code: str, field: str, rule: Any) -> None:
    try:
        rule()
    except ValidationError as error:
        raise Refused(code, field, list(error.messages)) from None

"""These forms ask for the password again, so that a browser left open does nothing that outlives it."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import email_change
from .backends import is_password_of
from .guessing import TooManyGuesses
from .models import User
from .throttle import sign_up_wait


class PasswordAgainForm(forms.Form):
    """The subclass says in `wrong` what a wrong password has prevented."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    wrong: str | Promise

    def __init__(self, user: User, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.request = user, request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not is_password_of(self.request, self.user, password):
            raise forms.ValidationError(str(self.wrong))
        return password


class DeletionForm(PasswordAgainForm):
    wrong = _("This is not your password. Nothing was deleted.")


class EmailForm(PasswordAgainForm):
    email = forms.EmailField(
        label=_("New e-mail address"),
        max_length=254,
        error_messages={"invalid": _("Enter a valid e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = ("email", "password")
    wrong = _("This is not your password. Your address stays as it is.")

    def clean_email(self) -> str:
        try:
            return email_change.check(self.user, self.cleaned_data["email"])
        except email_change.Refused as refusal:
            # As at a sign-up: whether an address has an account is not asked without end.
            if seconds := sign_up_wait(self.request):
                raise TooManyGuesses(seconds) from None
            raise forms.ValidationError(str(refusal)) from None


class NewPasswordForm(PasswordAgainForm):
    new_password = forms.CharField(
        label=_("New password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    field_order = ("password", "new_password")
    wrong = _("This is not your password. It stays as it is.")

    def __init__(self, user: User, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, request, *args, **kwargs)
        self.fields["new_password"].help_text = " ".join(password_validators_help_texts())

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        validate_password(password, self.user)
        return password


class TokenForm(PasswordAgainForm):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Say where you will use it, for example: nightly export")
    )
    field_order = ("name", "password")
    wrong = _("This is not your password. No token was created.")

"""These forms ask for the password again, so that a browser left open does nothing that outlives it."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .backends import is_password_of
from .models import User


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


class TokenForm(PasswordAgainForm):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Say where you will use it, for example: nightly export")
    )
    field_order = ("name", "password")
    wrong = _("This is not your password. No token was created.")

"""Users create API tokens through this form."""

from typing import Any

from django import forms
from django.http import HttpRequest

from .backends import is_password_of
from .models import User

NOT_YOURS = "This is not your password. No token was created."


class TokenForm(forms.Form):
    """Ask for the password again: a token outlives the session, and a browser left open must not create one."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="Say where you will use it, for example: nightly export"
    )
    password = forms.CharField(
        label="Your password",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: User, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.request = user, request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not is_password_of(self.request, self.user, password):
            raise forms.ValidationError(NOT_YOURS)
        return password

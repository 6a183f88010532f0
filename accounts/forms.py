"""Users sign up, log in, and manage their account through these forms."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.forms import PasswordResetForm as DjangoPasswordResetForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext_lazy as _

from . import addresses, registration
from .models import User

PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class SignUpForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        error_messages={"invalid": _("Enter a valid e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )
    password = forms.CharField(label=_("Password"), max_length=1024, strip=False, widget=PASSWORD)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def save(self, language: str = "") -> User | None:
        """Return the new user; None if the account was refused, with the reasons on the field."""
        try:
            return registration.register(self.cleaned_data["email"], self.cleaned_data["password"], language)
        except registration.Refused as refused:
            self.add_error(refused.field, refused.sentences)
            return None


class LoginForm(AuthenticationForm):
    username = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class PasswordResetForm(DjangoPasswordResetForm):
    def clean_email(self) -> str:
        """Spell the address as it is stored: Django compares letter by letter."""
        return addresses.spelled(self.cleaned_data["email"])


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"),
        help_text=_("Pages and e-mails are in this language."),
        choices=settings.LANGUAGES,
    )

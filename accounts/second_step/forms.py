"""Forms for a code of the second step."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.guessing import guarded

from . import codes

CODE: dict[str, Any] = {
    "max_length": 40,
    "widget": forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
}


class CodeForm(forms.Form):
    """Checks a code; `device` is the device that made it. Failures are counted like those of passwords."""

    code = forms.CharField(label="Code from your app, or a recovery code", **CODE)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.device: Device | None = None

    def clean_code(self) -> str:
        user: Any = self.request.user
        code: str = self.cleaned_data["code"]
        self.device = guarded(self.request, user.email, lambda: codes.match(user, code), step="code")
        if self.device is None:
            raise forms.ValidationError("This code is wrong, used already or too old. Wait for the next one.")
        return code


class AppForm(forms.Form):
    """Adds an app: its first code proves that it has the key."""

    code = forms.CharField(label="Code that your app shows", **CODE)

    def __init__(self, device: TOTPDevice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.device = device

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].replace(" ", "")
        if not self.device.verify_token(code):
            raise forms.ValidationError("This code is wrong or too old. Is the clock of your device right?")
        return code

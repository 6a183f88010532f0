"""Staff type codes into these forms."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.guessing import guarded

from . import codes

CODE: dict[str, Any] = {
    "max_length": 40,
    "widget": forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
}


class CodeForm(forms.Form):
    """`device` is the device that the code belongs to. Wrong codes are counted like wrong passwords."""

    code = forms.CharField(label=_("Code from your app, or a recovery code"), **CODE)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.device: Device | None = None

    def clean_code(self) -> str:
        user: Any = self.request.user
        code: str = self.cleaned_data["code"]
        self.device = guarded(self.request, user.email, lambda: codes.match(user, code), step="code")
        if self.device is None:
            raise forms.ValidationError(_("This code is wrong, already used or expired. Wait for the next one."))
        return code


class AppForm(forms.Form):
    """The first code proves that the app has the key."""

    code = forms.CharField(label=_("Code shown in your app"), **CODE)

    def __init__(self, device: TOTPDevice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.device = device

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].replace(" ", "")
        if not self.device.verify_token(code):
            raise forms.ValidationError(
                _("This code is wrong or expired. Check that the clock of your device is right.")
            )
        return code

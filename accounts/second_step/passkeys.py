"""django-otp-webauthn runs the passkey ceremonies; this module says who may begin one, and counts failures."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_otp.models import Device
from django_otp_webauthn import exceptions, views

from accounts.guessing import guarded

from . import rules


def work_at(request: HttpRequest) -> bool:
    """Return whether passkeys work at this host: browsers refuse them at another host name or at an IP address."""
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    return host == settings.OTP_WEBAUTHN_RP_ID or host.endswith(f".{settings.OTP_WEBAUTHN_RP_ID}")


class StaffAlone:
    """This mixin lets only staff call the ceremonies' views."""

    request: HttpRequest

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not (request.user.is_authenticated and request.user.is_staff):
            raise exceptions.NotAuthenticated
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # a mixin

    def handle_exception(self, exc: Exception) -> Any:
        """Answer 400 to a body that no browser sends."""
        malformed = isinstance(exc, (ValueError, TypeError, LookupError, AttributeError, RecursionError))
        return super().handle_exception(exceptions.MalformedRequest() if malformed else exc)  # type: ignore[misc]  # a mixin


class BeginRegistration(StaffAlone, views.BeginCredentialRegistrationView):
    pass


class CompleteRegistration(StaffAlone, views.CompleteCredentialRegistrationView):
    def post(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().post(*args, **kwargs)
        user: Any = self.request.user
        rules.pass_step(self.request, user.otp_device)
        return answer


class BeginAuthentication(StaffAlone, views.BeginCredentialAuthenticationView):
    pass


class CompleteAuthentication(StaffAlone, views.CompleteCredentialAuthenticationView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count a wrong passkey like a wrong code."""
        answers: list[HttpResponseBase] = []

        def is_right() -> bool:
            answers.append(super(CompleteAuthentication, self).dispatch(request, *args, **kwargs))
            return bool(answers[0].status_code == 200)

        guarded(request, getattr(request.user, "email", ""), is_right, step="code")
        return answers[0]

    def complete_auth(self, device: Device) -> Any:
        rules.pass_step(self.request, device)
        return device.user

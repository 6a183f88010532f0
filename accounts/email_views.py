"""Users change their e-mail address and their password on these pages."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView

from billing.pages import too_often

from . import email_change, logins
from .confirmation_views import NOT_SENT
from .password_forms import EmailForm, NewPasswordForm
from .throttle import confirmation_wait

SENT = _("We sent a link to {email}. Open it to confirm the new address; until then the old one stays.")
CHANGED = _("Your e-mail address is now {email}.")
PASSWORD_CHANGED = _("Your password is changed. You are logged out everywhere else, and your API tokens have stopped.")


@method_decorator(never_cache, name="dispatch")
class SettingsView(LoginRequiredMixin, TemplateView):
    """Show at /accounts/ what can be changed of the account."""

    template_name = "accounts/settings.html"


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class EmailView(LoginRequiredMixin, FormView):
    """Ask at /accounts/email/ for the new address and the password, and mail the link."""

    form_class = EmailForm
    template_name = "accounts/email.html"
    success_url = reverse_lazy("accounts:settings")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}

    def form_valid(self, form: EmailForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        if seconds := confirmation_wait(self.request, email):
            return too_often(self.request, seconds)
        if email_change.send(form.user, email):
            messages.success(self.request, SENT.format(email=email))
        else:
            messages.error(self.request, NOT_SENT)
        return super().form_valid(form)


@method_decorator(never_cache, name="dispatch")
class EmailConfirmView(LoginRequiredMixin, TemplateView):
    """Show a button at /accounts/email/<token>/; POST changes the address. The link alone changes nothing."""

    template_name = "accounts/email_confirm.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer(request, email_change.asked_by(_user(request), self.kwargs["token"]))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = _user(request)
        email = email_change.asked_by(user, self.kwargs["token"])
        if not email:
            return self._answer(request, "")
        try:
            email_change.change(user, email)
        except email_change.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("accounts:email")
        messages.success(request, CHANGED.format(email=email))
        return redirect("accounts:settings")

    def _answer(self, request: HttpRequest, email: str) -> HttpResponse:
        return render(request, self.template_name, self.get_context_data(new=email), status=200 if email else 400)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class PasswordView(LoginRequiredMixin, FormView):
    """Change the password at /accounts/password/. Other sessions and all tokens end with the old one."""

    form_class = NewPasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:settings")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        form.user.set_password(form.cleaned_data["new_password"])
        form.user.save()
        update_session_auth_hash(self.request, form.user)
        logins.remember(self.request, form.user)
        messages.success(self.request, PASSWORD_CHANGED)
        return super().form_valid(form)


def _user(request: HttpRequest) -> Any:
    return request.user

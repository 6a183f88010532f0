"""Users sign up, log in, choose the e-mail language and delete their account on these pages. Logging out and
resetting a password use Django's views."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.contrib.auth.views import PasswordResetView as DjangoPasswordResetView
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from billing.pages import too_often

from . import closing
from .forms import LanguageForm, LoginForm, PasswordResetForm, SignUpForm
from .password_forms import DeletionForm
from .throttle import reset_wait, sign_up_wait


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class SignUpView(RedirectURLMixin, FormView):
    form_class = SignUpForm
    template_name = "accounts/signup.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        if request.method == "POST" and (seconds := sign_up_wait(request)):
            return too_often(request, seconds)
        return super().dispatch(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.save(get_language_from_request(self.request))
        if user is None:
            return self.form_invalid(form)
        login(self.request, user)
        return HttpResponseRedirect(self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)


class LoginView(DjangoLoginView):
    authentication_form = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True


class PasswordResetView(DjangoPasswordResetView):
    """Send a link that starts with SITE_URL, never with the Host header of the request."""

    form_class = PasswordResetForm
    template_name = "accounts/password_reset.html"
    email_template_name = "accounts/password_reset_mail.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_done")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if seconds := reset_wait(request, request.POST.get("email", "")):
            return too_often(request, seconds)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        site = urlsplit(settings.SITE_URL)
        form.save(
            domain_override=site.netloc,
            use_https=site.scheme == "https",
            email_template_name=self.email_template_name,
            subject_template_name=self.subject_template_name,
            token_generator=self.token_generator,
        )
        return HttpResponseRedirect(self.get_success_url())


@method_decorator(never_cache, name="dispatch")
class LanguageView(LoginRequiredMixin, FormView):
    """Let the user choose the language of their pages and e-mails at /accounts/language/."""

    form_class = LanguageForm
    template_name = "accounts/language.html"

    def get_initial(self) -> dict[str, Any]:
        user: Any = self.request.user
        return {"language": user.language or settings.LANGUAGE_CODE}

    def get_success_url(self) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def form_valid(self, form: LanguageForm) -> HttpResponse:
        user: Any = self.request.user
        user.language = form.cleaned_data["language"]
        user.save(update_fields=["language"])
        translation.activate(user.language)
        messages.success(self.request, _("Saved. Pages and e-mails are in the language you chose."))
        return super().form_valid(form)


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class DeletionView(LoginRequiredMixin, FormView):
    """Explain at /accounts/delete/ what a deletion does, and ask for the password again. Then log the user out."""

    form_class = DeletionForm
    template_name = "accounts/delete.html"
    success_url = reverse_lazy("accounts:deleted")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}

    def form_valid(self, form: DeletionForm) -> HttpResponse:
        closing.close(form.user)
        logout(self.request)
        return HttpResponseRedirect(self.get_success_url())

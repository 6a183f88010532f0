"""Staff pass the second step on these pages, add an app, a passkey or recovery codes, and remove them."""

from base64 import b32encode
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.views import RedirectURLMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import codes, passkeys, rules
from .forms import AppForm, CodeForm

# The session keeps here which app it is adding.
ADDING = "second_step_adding"


@method_decorator(never_cache, name="dispatch")
class StaffPage(RedirectURLMixin, UserPassesTestMixin):
    """Redirect strangers to log in, and refuse subscribers. `next` is the address to continue to, within this site."""

    request: HttpRequest

    def test_func(self) -> bool:
        user: Any = self.request.user
        return bool(user.is_authenticated and user.is_staff)

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {"next": self.get_redirect_url(), "passkeys_work": passkeys.work_at(self.request)}
        return super().get_context_data(**more, **kwargs)  # type: ignore[misc]  # a mixin


class StepView(StaffPage, FormView):
    """Ask for a code or a passkey at /accounts/second-step/. Staff who have neither are redirected to add one."""

    form_class = CodeForm
    template_name = "accounts/second_step/pass.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rules.has_factor(request.user):
            return redirect(rules.address(request, "accounts:second_step_setup"))
        if rules.has_passed(request):
            return redirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: CodeForm) -> HttpResponse:
        rules.pass_step(self.request, form.device)
        return HttpResponseRedirect(self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has_passkey = any(not isinstance(factor, TOTPDevice) for factor in rules.factors_of(self.request.user))
        return super().get_context_data(has_passkey=has_passkey, **kwargs)


class OwnPage(StaffPage):
    """Require the second step, if there is one, before it can be changed: otherwise the password would be enough to
    remove it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.test_func() and rules.has_factor(request.user) and not rules.has_passed(request):
            return redirect(f"{reverse('accounts:second_step')}?next={reverse('accounts:second_step_setup')}")
        return super().dispatch(request, *args, **kwargs)


class SetupView(OwnPage, TemplateView):
    """Show at /accounts/second-step/setup/ which devices the user has, and which can be added."""

    template_name = "accounts/second_step/setup.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(factors=rules.factors_of(user), codes_left=codes.left(user), **kwargs)


class AppView(OwnPage, FormView):
    """Show the key as a QR code and as text at /accounts/second-step/app/, until a code proves that an app has it."""

    form_class = AppForm
    template_name = "accounts/second_step/app.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "device": self._device()}

    def _device(self) -> TOTPDevice:
        """Return the app that this session adds. A key that another session has been shown is never offered here:
        whoever has only the password could read it there, and wait until its owner uses it."""
        unproven = TOTPDevice.objects.filter(user=self.request.user, confirmed=False)
        device = unproven.filter(pk=self.request.session.get(ADDING)).first()
        if device is None:
            device = TOTPDevice.objects.create(user=self.request.user, confirmed=False, name="Authenticator app")
            self.request.session[ADDING] = device.pk
        return device

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        device = context["form"].device
        key = b32encode(device.bin_key).decode()
        picture = segno.make(device.config_url).svg_data_uri(scale=4, border=4, light="white")
        return {**context, "picture": picture, "key": " ".join(key[n : n + 4] for n in range(0, len(key), 4))}

    def form_valid(self, form: AppForm) -> HttpResponse:
        form.device.confirmed = True
        form.device.save(update_fields=["confirmed"])
        TOTPDevice.objects.filter(user=self.request.user, confirmed=False).delete()
        rules.pass_step(self.request, form.device)
        messages.success(self.request, _("App added. The admin now asks for a code from your app."))
        return redirect(rules.address(self.request, "accounts:second_step_setup"))


class RecoveryView(OwnPage, View):
    """POST /accounts/second-step/recovery/ creates new codes and shows them once."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if not rules.has_factor(request.user):
            return redirect("accounts:second_step_setup")
        return render(request, "accounts/second_step/recovery.html", {"codes": codes.renew(request.user)})


class RemovalView(OwnPage, View):
    """POST /accounts/second-step/remove/ {factor} removes one of the user's own devices."""

    def post(self, request: HttpRequest) -> HttpResponse:
        own = {factor.persistent_id: factor for factor in rules.factors_of(request.user)}
        factor = own.get(request.POST.get("factor", ""))
        if factor is None:
            raise Http404
        rules.remove(factor)
        messages.success(request, _("Removed."))
        return redirect("accounts:second_step_setup")

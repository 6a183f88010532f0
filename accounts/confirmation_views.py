"""Users confirm their address on these pages: one sends the e-mail again, the other is the target of its link."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import PasswordResetConfirmView as DjangoPasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from billing.pages import too_often

from . import confirmation
from .throttle import confirmation_wait

SENT = _("We sent you an e-mail. Open the link in it to confirm your address.")
NOT_SENT = _("The e-mail could not be sent. Please try again in a few minutes.")
CONFIRMED = _("Thank you. Your address is confirmed.")


@method_decorator(never_cache, name="dispatch")
class ConfirmationView(LoginRequiredMixin, TemplateView):
    """Show at /accounts/confirm/ whether the address is confirmed; POST sends the e-mail again."""

    template_name = "accounts/confirmation.html"

    def post(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if user.has_confirmed_email:
            return redirect("accounts:confirmation")
        if seconds := confirmation_wait(request, user.email):
            return too_often(request, seconds)
        is_sent = confirmation.send(user)
        messages.add_message(request, messages.SUCCESS if is_sent else messages.ERROR, SENT if is_sent else NOT_SENT)
        return redirect("accounts:confirmation")


@method_decorator(never_cache, name="dispatch")
class ConfirmView(LoginRequiredMixin, TemplateView):
    """Show a button at /accounts/confirm/<user>/<token>/; POST confirms. The user must be logged in as <user>."""

    template_name = "accounts/confirm.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer(request, is_valid=self._is_valid(request))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: Any = request.user
        if not self._is_valid(request):
            return self._answer(request, is_valid=False)
        confirmation.confirm(user)
        messages.success(request, CONFIRMED)
        return redirect(settings.LOGIN_REDIRECT_URL)

    def _is_valid(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return confirmation.is_link_of(user, self.kwargs["uidb64"], self.kwargs["token"])

    def _answer(self, request: HttpRequest, *, is_valid: bool) -> HttpResponse:
        context = self.get_context_data(is_valid=is_valid)
        return render(request, self.template_name, context, status=200 if is_valid else 400)


class PasswordResetConfirmView(DjangoPasswordResetConfirmView):
    """Choosing a new password confirms the address, since the person has opened the e-mail. It ends sessions and
    tokens made under the old password."""

    template_name = "accounts/password_reset_confirm.html"
    success_url = reverse_lazy("accounts:password_reset_complete")

    def form_valid(self, form: Any) -> HttpResponseRedirect:
        answer = super().form_valid(form)
        confirmation.confirm(form.user)
        return answer  # type: ignore[return-value]  # Django's view redirects

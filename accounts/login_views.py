"""Users see where they are logged in, and log out there."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from . import logins
from .models import LoginSession

ENDED = _("That session is logged out.")


@method_decorator(never_cache, name="dispatch")
class SessionsView(LoginRequiredMixin, TemplateView):
    """List the user's sessions at /accounts/sessions/."""

    template_name = "accounts/sessions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        found, here = logins.of(user), self.request.session.session_key
        return super().get_context_data(sessions=[(row, row.session_key == here) for row in found], **kwargs)


class EndSessionView(LoginRequiredMixin, View):
    """POST /accounts/sessions/<id>/end/ logs one of the user's own sessions out."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        user: Any = request.user
        row = get_object_or_404(LoginSession, user=user, pk=pk)
        if row.session_key != request.session.session_key:
            logins.revoke(row)
            messages.success(request, ENDED)
        return redirect("accounts:sessions")

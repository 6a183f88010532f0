"""Users see, create and revoke their API tokens on this page."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from . import tokens
from .models import ApiToken
from .password_forms import TokenForm


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class TokensView(LoginRequiredMixin, FormView):
    """Show the tokens at /accounts/tokens/. Only the answer to the POST shows a token's value."""

    form_class = TokenForm
    template_name = "accounts/tokens.html"
    success_url = reverse_lazy("accounts:tokens")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}

    def form_valid(self, form: TokenForm) -> HttpResponse:
        value = tokens.issue(form.user, form.cleaned_data["name"])
        fresh = TokenForm(form.user, self.request)
        return self.render_to_response(self.get_context_data(form=fresh, value=value, name=form.cleaned_data["name"]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        return super().get_context_data(tokens=ApiToken.objects.of(user), **kwargs)


class RevokeTokenView(LoginRequiredMixin, View):
    """POST /accounts/tokens/<id>/revoke/ revokes one of the user's own tokens."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        user: Any = request.user
        token = get_object_or_404(ApiToken.objects.of(user), pk=pk)
        ApiToken.objects.filter(pk=token.pk).revoke(ApiToken.Because.OWNER)
        messages.success(request, _("Revoked the token “{name}”. It no longer works.").format(name=token.name))
        return redirect("accounts:tokens")

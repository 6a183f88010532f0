"""The admin's page of a user shows their second step, and lets a superuser remove it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html

from accounts.models import User

from . import rules

NONE = "None"
HAS_ONE = "Set up"


class SecondStepAdmin:
    """Add the second step to the admin of users."""

    admin_site: Any

    @admin.display(description="second step")
    def second_step(self, user: User) -> str:
        if not rules.has_factor(user):
            return NONE
        address = reverse("admin:accounts_user_remove_second_step", args=[user.pk])
        return format_html('{} · <a href="{}">Remove it (superusers)</a>', HAS_ONE, address)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.remove_second_step)
        name = "accounts_user_remove_second_step"
        remove = path("<uuid:pk>/second-step/remove/", view, name=name)
        return [remove, *super().get_urls()]  # type: ignore[misc]  # a mixin

    def remove_second_step(self, request: HttpRequest, pk: Any) -> HttpResponse:
        actor: Any = request.user
        if not actor.is_superuser:
            raise PermissionDenied
        user = get_object_or_404(User, pk=pk)
        if request.method == "POST":
            rules.remove_all(user)
            self.log_change(request, user, "Removed the second step.")  # type: ignore[attr-defined]  # a mixin
            messages.success(request, "The second step is removed.")
            return redirect("admin:accounts_user_change", user.pk)
        given = {**self.admin_site.each_context(request), "title": "Remove the second step", "whose": user}
        return render(request, "admin/accounts/user/remove_second_step.html", {**given, "opts": User._meta})

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from rest_framework.authtoken.models import TokenProxy

from .models import User

admin.site.unregister(TokenProxy)  # it would show every subscriber's token to staff


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Users are not deleted here: billing would go on. Set them inactive instead."""

    ordering = ("-date_joined",)
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "date_joined")
    search_fields = ("email",)
    readonly_fields = ("id", "date_joined", "last_login")
    fieldsets = (
        (
            None,
            {
                "fields": ("id", "email", "password"),
                "description": "A user cannot be deleted here: Stripe would go on billing them. "
                "Cancel their subscription at Stripe, then set them inactive.",
            },
        ),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

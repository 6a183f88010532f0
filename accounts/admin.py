from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from rest_framework.authtoken.models import TokenProxy

from billing.admin.lookups import OwnColumnsOnly

from . import closing
from .models import User

admin.site.unregister(TokenProxy)  # it would show every subscriber's token to staff

WHAT_HAPPENS = (
    "The user is signed out and locked out at once, their tokens revoked.",
    "Every subscription at Stripe is cancelled, open invoices are voided, the customer is removed there.",
    "Then the user is anonymised. The row stays, and so do the records of payments.",
)
CLOSING = "The account is closing: it is anonymised as soon as Stripe has confirmed that nothing bills it any more."


@admin.register(User)
class UserAdmin(OwnColumnsOnly, DjangoUserAdmin):
    """Deleting a user goes the way of a user who leaves, or Stripe would go on billing them."""

    ordering = ("-date_joined",)
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "date_joined")
    search_fields = ("email",)
    readonly_fields = ("id", "date_joined", "last_login", "billing")
    fieldsets = (
        (
            None,
            {
                "fields": ("id", "email", "billing", "language", "password"),
                "description": "Deleting a user cancels what Stripe bills them, then anonymises them.",
            },
        ),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="billing")
    def billing(self, user: User) -> str:
        address = reverse("admin:billing_customer_find", query={"q": user.email})
        return format_html('<a href="{}">What they have, and why</a>', address)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One at a time: its page says what will happen."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(self, objs: QuerySet[User] | list[User], request: HttpRequest) -> Any:
        """What the page lists before it is confirmed; nothing is protected, for no row goes."""
        return [f"{user}: {sentence}" for user in objs for sentence in WHAT_HAPPENS], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        closing.close(obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(request, CLOSING)
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))

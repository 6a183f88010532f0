"""Users download what is stored of them: their account, and what billing stores."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from billing.lifecycle import own_data

from .models import User


def account_of(user: User) -> dict[str, Any]:
    """Return the account, its sessions and tokens; never a password, a token or a session's key."""
    return {
        "account": {
            "id": user.pk,
            "email": user.email,
            "confirmed_email": user.confirmed_email,
            "language": user.language,
            "date_joined": user.date_joined,
            "last_login": user.last_login,
        },
        "sessions": list(user.login_sessions.order_by("created_at").values("browser", "created_at")),
        "api_tokens": list(
            user.api_tokens.order_by("created_at").values(
                "name", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at", "revoked_because"
            )
        ),
    }


@method_decorator(never_cache, name="dispatch")
class DataView(LoginRequiredMixin, View):
    """Answer /accounts/data/ with a file in JSON."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> JsonResponse:
        user: Any = request.user
        answer = JsonResponse({**account_of(user), **own_data.own_data(user)}, json_dumps_params={"indent": 2})
        answer["Content-Disposition"] = 'attachment; filename="my-data.json"'
        return answer

"""The token API issues a token, lists tokens, and revokes the current one, another one, or all."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api.documented import CSRF_NOTE, UNAUTHENTICATED, error
from billing.api.errors import Refusal
from billing.api.serializers import ErrorSerializer

from .api import ObtainToken
from .models import ApiToken

BY_SESSION = gettext_lazy(
    "This request used a session, not a token. Name the token to revoke: DELETE /api/v1/accounts/tokens/{id}."
)
MAY_NOT: dict[int, Any] = {403: error("permission_denied", note=CSRF_NOTE)}
REVOKED = OpenApiResponse(description="The token is revoked and no longer works.")


class ApiTokenSerializer(serializers.ModelSerializer[ApiToken]):
    is_current = serializers.SerializerMethodField(help_text="True for the token of this request")

    class Meta:
        model = ApiToken
        fields = ["id", "name", "prefix", "created_at", "last_used_at", "expires_at", "is_current"]
        read_only_fields = fields

    def get_is_current(self, token: ApiToken) -> bool:
        return bool(self.context["current"] == token)


class Token(ObtainToken):
    """POST {email, password, name?} returns a new token. DELETE revokes the token of this request."""

    def get_authenticators(self) -> list[Any]:
        is_sign_in = self.request is not None and self.request.method != "DELETE"
        return [] if is_sign_in else [kind() for kind in APIView.authentication_classes]

    def get_permissions(self) -> list[Any]:
        return [kind() for kind in (APIView if self.request.method == "DELETE" else ObtainToken).permission_classes]

    def get_throttles(self) -> list[Any]:
        return [] if self.request.method == "DELETE" else super().get_throttles()

    @extend_schema(
        operation_id="accounts_token_revoke",
        request=None,
        responses={
            204: REVOKED,
            400: OpenApiResponse(ErrorSerializer, description="`no_token`: the request used a session"),
            **UNAUTHENTICATED,
            **MAY_NOT,
        },
    )
    def delete(self, request: Request) -> Response:
        if not isinstance(request.auth, ApiToken):
            raise Refusal("no_token", BY_SESSION)
        return _revoke(ApiToken.objects.filter(pk=request.auth.pk))


class Tokens(APIView):
    """GET lists the valid tokens of this account, newest first. DELETE revokes all of them."""

    @extend_schema(
        operation_id="accounts_tokens",
        responses={200: ApiTokenSerializer(many=True), **UNAUTHENTICATED},
    )
    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response(
            ApiTokenSerializer(ApiToken.objects.of(user), many=True, context={"current": request.auth}).data
        )

    @extend_schema(
        operation_id="accounts_tokens_revoke",
        request=None,
        responses={
            204: OpenApiResponse(description="All tokens are revoked, including the one of this request."),
            **UNAUTHENTICATED,
            **MAY_NOT,
        },
    )
    def delete(self, request: Request) -> Response:
        user: Any = request.user
        return _revoke(user.api_tokens.all())


class OneToken(APIView):
    """DELETE revokes one token of this account, by its id."""

    @extend_schema(
        operation_id="accounts_tokens_revoke_one",
        request=None,
        responses={204: REVOKED, **UNAUTHENTICATED, **MAY_NOT, 404: error("not_found")},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        user: Any = request.user
        found = ApiToken.objects.of(user).filter(pk=pk)
        if not found:
            raise Http404
        return _revoke(found)


def _revoke(found: Any) -> Response:
    found.revoke(ApiToken.Because.OWNER)
    return Response(status=status.HTTP_204_NO_CONTENT)

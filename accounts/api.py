"""The accounts API registers users, issues tokens, and shows, changes and deletes the user's own account."""

from typing import Any

from django.contrib.auth import authenticate
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api.errors import Refusal
from billing.api.serializers import ErrorSerializer

from . import closing, registration, tokens
from .authentication import DELETING
from .backends import is_password_of
from .models import User
from .throttle import SignUpThrottle

# The schema shows a revoked token as a token: `DeletionTokenAuthentication` is no scheme of its own.
SIGNED_IN: Any = [{"tokenAuth": []}, {"cookieAuth": []}]


class Credentials(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class Password(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class TokenRequest(Credentials):
    name = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Name of the token in the list of tokens"
    )


class Deletion(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["closing"])


class UserSerializer(serializers.ModelSerializer[User]):
    email_confirmed = serializers.BooleanField(source="has_confirmed_email", read_only=True)

    class Meta:
        model = User
        fields = ["id", "email", "email_confirmed", "language", "date_joined"]
        read_only_fields = ["id", "email", "date_joined"]


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()


class Register(APIView):
    """POST {email, password} creates an account. 400: `invalid_email`, `weak_password` or `email_taken`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignUpThrottle,)

    @extend_schema(
        operation_id="accounts_register",
        request=Credentials,
        responses={
            201: UserSerializer,
            400: OpenApiResponse(
                ErrorSerializer, description="`invalid_email`, `weak_password`, `email_taken`, `invalid_request`"
            ),
            429: OpenApiResponse(ErrorSerializer, description="`rate_limited`, with Retry-After"),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        try:
            user = registration.register(**credentials.validated_data, language=get_language_from_request(request))
        except registration.Refused as refused:
            raise Refusal(refused.code, str(refused), fields={refused.field: refused.sentences}) from None
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)


class ObtainToken(APIView):
    """POST {email, password, name?} returns a new token for `Authorization: Token …`. 400: `bad_credentials`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="accounts_token",
        request=TokenRequest,
        responses={
            200: TokenSerializer,
            400: OpenApiResponse(ErrorSerializer, description="`bad_credentials`, `invalid_request`"),
            429: OpenApiResponse(ErrorSerializer, description="`rate_limited`, with Retry-After"),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = TokenRequest(data=request.data)
        credentials.is_valid(raise_exception=True)
        given = credentials.validated_data
        user = authenticate(request, username=given["email"], password=given["password"])
        if user is None:
            raise Refusal("bad_credentials", _("E-mail address or password is wrong."))
        return Response({"token": tokens.issue(user, given.get("name") or tokens.NAME_BY_API)})


class Me(APIView):
    """GET returns the account behind the token or session. PATCH {language} sets the language of its e-mails.

    DELETE {password} deletes the account and cancels everything that Stripe bills.
    """

    def get_authenticators(self) -> list[Any]:
        """Accept a token that was revoked by the deletion for DELETE, and for nothing else."""
        if self.request is not None and self.request.method == "DELETE":
            return [authentication() for authentication in DELETING]
        return super().get_authenticators()

    @extend_schema(
        operation_id="accounts_me",
        responses={200: UserSerializer, 401: OpenApiResponse(ErrorSerializer, description="`not_authenticated`")},
    )
    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response(UserSerializer(user).data)

    @extend_schema(
        operation_id="accounts_me_update",
        request=UserSerializer,
        responses={
            200: UserSerializer,
            400: OpenApiResponse(ErrorSerializer, description="`invalid_request`"),
            401: OpenApiResponse(ErrorSerializer, description="`not_authenticated`"),
        },
    )
    def patch(self, request: Request) -> Response:
        """Set the language of the e-mails; nothing else can be changed."""
        user: Any = request.user
        change = UserSerializer(user, data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        change.save()
        return Response(change.data)

    @extend_schema(
        operation_id="accounts_delete",
        request=Password,
        responses={
            202: Deletion,
            204: OpenApiResponse(
                description="The account is deleted: Stripe has confirmed that nothing is billed any more"
            ),
            400: OpenApiResponse(ErrorSerializer, description="`bad_credentials`, `invalid_request`"),
            401: OpenApiResponse(ErrorSerializer, description="`not_authenticated`"),
            429: OpenApiResponse(ErrorSerializer, description="`rate_limited`, with Retry-After"),
        },
        auth=SIGNED_IN,
    )
    def delete(self, request: Request) -> Response:
        """Answer 202 while the deletion is running: ask again with the same token. The account is locked from the
        first answer on."""
        user: Any = request.user
        if closing.is_closed(user):
            return Response(status=status.HTTP_204_NO_CONTENT)
        given = Password(data=request.data)
        given.is_valid(raise_exception=True)
        if not is_password_of(request, user, given.validated_data["password"]):
            raise Refusal("bad_credentials", _("This is not your password. Nothing was deleted."))
        closing.close(user)
        return Response({"status": "closing"}, status=status.HTTP_202_ACCEPTED)

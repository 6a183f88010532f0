"""The account's part of the API: register, sign in for a token, who am I."""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api.errors import Refusal
from billing.api.serializers import ErrorSerializer

from . import registration
from .models import User
from .throttle import SignInThrottle, SignUpThrottle


class Credentials(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email", "date_joined"]
        read_only_fields = fields


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()


class Register(APIView):
    """POST {email, password}: makes an account. 400 `invalid_email`, `weak_password` or `email_taken`."""

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
            user = registration.register(**credentials.validated_data)
        except registration.Refused as refused:
            raise Refusal(refused.code, str(refused), fields={refused.field: refused.sentences}) from None
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)


class ObtainToken(APIView):
    """POST {email, password}: the token for `Authorization: Token …`. 400 `bad_credentials`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)

    @extend_schema(
        operation_id="accounts_token",
        request=Credentials,
        responses={
            200: TokenSerializer,
            400: OpenApiResponse(ErrorSerializer, description="`bad_credentials`, `invalid_request`"),
            429: OpenApiResponse(ErrorSerializer, description="`rate_limited`, with Retry-After"),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        given = credentials.validated_data
        user = authenticate(request, username=given["email"], password=given["password"])
        if user is None:
            raise Refusal("bad_credentials", "No account matches this address and password.")
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})


class Me(APIView):
    """GET: the account behind the token or session."""

    @extend_schema(
        operation_id="accounts_me",
        responses={200: UserSerializer, 401: OpenApiResponse(ErrorSerializer, description="`not_authenticated`")},
    )
    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response(UserSerializer(user).data)

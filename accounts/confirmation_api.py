"""The API sends the e-mail that confirms an address once more. Its link leads to a page of this site."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api.documented import CSRF_NOTE, TOO_MANY, UNAUTHENTICATED, error

from . import confirmation
from .throttle import confirmation_wait


class NotSent(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "mail_not_sent"
    default_detail = _("The e-mail could not be sent. Please try again in a few minutes.")


class ConfirmationSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["sent", "confirmed"])


class Confirmation(APIView):
    """POST sends the e-mail that confirms the address of this account. A confirmed address gets no e-mail."""

    @extend_schema(
        operation_id="accounts_confirmation",
        request=None,
        responses={
            200: OpenApiResponse(ConfirmationSerializer, description="The address is already confirmed."),
            202: OpenApiResponse(ConfirmationSerializer, description="The e-mail was sent."),
            **UNAUTHENTICATED,
            403: error("permission_denied", note=CSRF_NOTE),
            **TOO_MANY,
            503: error("mail_not_sent"),
        },
    )
    def post(self, request: Request) -> Response:
        user: Any = request.user
        if user.has_confirmed_email:
            return Response({"status": "confirmed"})
        if seconds := confirmation_wait(request, user.email):
            raise Throttled(seconds)
        if not confirmation.send(user):
            raise NotSent
        return Response({"status": "sent"}, status=status.HTTP_202_ACCEPTED)

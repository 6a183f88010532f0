"""The API counts the use of a feature here."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import usage
from billing.access import payer

from .base import BillingView, validated
from .documented import UNAUTHENTICATED, error
from .serializers import QuotaSerializer, UsageRequest


class Usage(BillingView):
    """POST {quantity} counts a use of a feature, all or nothing."""

    @extend_schema(
        operation_id="usage_consume",
        request=UsageRequest,
        responses={
            200: QuotaSerializer,
            400: error("invalid_request"),
            **UNAUTHENTICATED,
            402: error("quota_exceeded"),
            403: error(
                "no_access", "no_subscriber", "permission_denied", note=": the plan does not include this feature"
            ),
        },
    )
    def post(self, request: Request, feature: str) -> Response:
        asked = validated(UsageRequest, request)
        return Response(QuotaSerializer(usage.consume(payer.required_payer(request), feature, asked["quantity"])).data)

"""The API counts the use of a feature here, and gives it back."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import usage
from billing.access import payer

from .asked import ReleaseRequest, UsageRequest
from .base import BillingView, validated
from .documented import UNAUTHENTICATED, error
from .serializers import QuotaSerializer


class Usage(BillingView):
    """POST {quantity, key?} counts a use of a feature, all or nothing, and once for a key."""

    @extend_schema(
        operation_id="usage_consume",
        request=UsageRequest,
        responses={
            200: QuotaSerializer,
            400: error("invalid_request"),
            **UNAUTHENTICATED,
            402: error("quota_exceeded", "spend_cap_reached"),
            403: error(
                "no_access", "no_subscriber", "permission_denied", note=": the plan does not include this feature"
            ),
            409: error("key_reused", note=": the key counted another quantity, or was released"),
        },
    )
    def post(self, request: Request, feature: str) -> Response:
        asked = validated(UsageRequest, request)
        quota = usage.consume(payer.required_payer(request), feature, asked["quantity"], asked["key"])
        return Response(QuotaSerializer(quota).data)


class Release(BillingView):
    """POST {key} gives back what a key counted; again, it changes nothing."""

    @extend_schema(
        operation_id="usage_release",
        request=ReleaseRequest,
        responses={
            200: QuotaSerializer,
            400: error("invalid_request"),
            **UNAUTHENTICATED,
            403: error("no_subscriber", "permission_denied"),
            404: error("unknown_key", note=": this key counted no use of the feature"),
        },
    )
    def post(self, request: Request, feature: str) -> Response:
        asked = validated(ReleaseRequest, request)
        return Response(QuotaSerializer(usage.release(payer.required_payer(request), feature, asked["key"])).data)

"""The API redeems a code here."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import payer
from billing.lifecycle import redeeming

from .asked import RedeemRequest
from .base import BillingView, validated
from .documented import UNAUTHENTICATED, error
from .serializers import RedemptionSerializer
from .throttle import CodeThrottle


class Redemptions(BillingView):
    """POST {code} gives what the code gives; again, it changes nothing and answers the same."""

    throttle_classes = (CodeThrottle,)

    @extend_schema(
        operation_id="redeem",
        request=RedeemRequest,
        responses={
            200: RedemptionSerializer,
            400: error("invalid_request"),
            **UNAUTHENTICATED,
            403: error("no_subscriber", "may_not_manage", "permission_denied"),
            404: error("unknown_code"),
            409: error("code_spent", "code_over", "account_closing"),
            429: error("rate_limited"),
            503: error("busy"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(RedeemRequest, request)
        return Response(RedemptionSerializer(redeeming.redeem(payer.managed_payer(request), asked["code"])).data)

"""The API answers with what is stored of a subscriber."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import payer
from billing.lifecycle import own_data

from .base import BillingView
from .documented import UNAUTHENTICATED, error


class OwnData(BillingView):
    """GET returns every row that is stored of the subscriber, table by table; amounts are minor units."""

    @extend_schema(
        operation_id="own_data",
        responses={
            200: OpenApiTypes.OBJECT,
            **UNAUTHENTICATED,
            403: error("no_subscriber", "may_not_manage", "permission_denied"),
        },
    )
    def get(self, request: Request) -> Response:
        return Response(own_data.own_data(payer.managed_payer(request)))

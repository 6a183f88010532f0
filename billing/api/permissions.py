"""For a host project's own views: only who has access to what they paid for gets in."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from billing import access
from billing.access import NEEDS_ACCESS, payer


class HasAccess(BasePermission):
    """DRF: 403 `no_access` without access, 401 without a user. One query.

    The subscriber is BILLING_REQUEST_SUBSCRIBER's; override `subscriber` for another. A subclass may ask for a `plan`
    (or one ranked above it) or a `feature`, as in `billing.access.has_access`.
    """

    message = NEEDS_ACCESS
    code = "no_access"
    plan = ""
    feature = ""

    def subscriber(self, request: Request) -> object:
        return payer.payer_of(request)

    def has_permission(self, request: Request, view: APIView) -> bool:
        return access.has_access(self.subscriber(request), plan=self.plan, feature=self.feature)

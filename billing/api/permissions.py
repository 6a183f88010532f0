"""A host project's own views use this permission: it admits only subscribers with access to what they paid for."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from billing import access
from billing.access import NEEDS_ACCESS, payer


class HasAccess(BasePermission):
    """Admit requests with access; answer 403 `no_access` without access, 401 without a user. One query.

    The subscriber is the one that BILLING_REQUEST_SUBSCRIBER returns; override `subscriber` for another. A subclass
    may require a `plan` (or one ranked above it), a `feature` or a `line`, as in `billing.access.has_access`.
    """

    message = NEEDS_ACCESS
    code = "no_access"
    plan = ""
    feature = ""
    line = ""

    def subscriber(self, request: Request) -> object:
        return payer.payer_of(request)

    def has_permission(self, request: Request, view: APIView) -> bool:
        return access.has_access(self.subscriber(request), plan=self.plan, feature=self.feature, line=self.line)

"""For a host project's own views: only who has access to what they paid for gets in."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from billing import access


class HasAccess(BasePermission):
    """DRF: 403 `no_access` without access. The subscriber is `request.user`; override `subscriber` for another."""

    message = "This needs a subscription with access."
    code = "no_access"

    def subscriber(self, request: Request) -> object:
        return request.user

    def has_permission(self, request: Request, view: APIView) -> bool:
        return access.has_access(self.subscriber(request))

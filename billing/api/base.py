"""Every view of the billing API uses these base classes."""

from typing import Any

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request

from billing.catalogue import visitors
from billing.private_answers import keep_by_language, keep_private

from . import errors
from .fixed import FixedView, Schema
from .parsers import StorableJSONParser


class BillingView(FixedView):
    """The host project authenticates the request; everything else is fixed here, whatever REST_FRAMEWORK says."""

    permission_classes: tuple[type[BasePermission], ...] = (IsAuthenticated,)
    parser_classes = (StorableJSONParser,)
    schema = Schema()

    def get_exception_handler(self) -> Any:
        return errors.handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers to authenticated requests out of caches; others depend on the visitor's language."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.authentication_classes:
            keep_private(answer)
        else:
            keep_by_language(answer)
        return answer


def visitor(request: Request) -> dict[str, str]:
    """Return the visitor's currency and language, in which amounts are formatted."""
    asked = request.headers.get("Accept-Language", "")
    return {
        "currency": request.query_params.get("currency", ""),
        "accept_language": asked,
        "language": visitors.language_of_visitor(asked),
    }


def validated(serializer_class: type[Any], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data

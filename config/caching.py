"""This middleware marks every answer to a signed-in user as private, so that no cache gives it to others."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from billing.private_answers import CREDENTIALS, is_personal, keep_private


def private_answers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Set `private, no-store` on the answer, unless the view or WhiteNoise has set Cache-Control."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.has_header("Cache-Control"):
            return response
        if is_personal(request):
            keep_private(response)
        else:
            patch_vary_headers(response, CREDENTIALS)
        return response

    return middleware

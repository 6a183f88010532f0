"""The guard lets everybody read /metrics and /readyz or, if a token is set, only those who send it."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from billing.conf import conf

View = Callable[[HttpRequest], HttpResponse]


def for_monitoring(view: View) -> View:
    """Answer 401 to a request without the token that `BILLING_MONITORING_TOKEN` names."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("Authorization", "")
        if not conf.monitoring_token or constant_time_compare(given, f"Bearer {conf.monitoring_token}"):
            return view(request)
        detail = "Send the monitoring token: Authorization: Bearer and the token."
        return JsonResponse({"code": "not_authenticated", "detail": detail}, status=401)

    return answer

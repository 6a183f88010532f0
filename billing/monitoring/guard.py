"""Who may read /metrics and /readyz: everybody, or, where a token is set, who sends it."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from billing.conf import conf

View = Callable[[HttpRequest], HttpResponse]


def for_monitoring(view: View) -> View:
    """401 to who does not send the token that `BILLING_MONITORING_TOKEN` names."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("Authorization", "")
        if not conf.monitoring_token or constant_time_compare(given, f"Bearer {conf.monitoring_token}"):
            return view(request)
        detail = "Send the monitoring token: Authorization: Bearer and the token."
        return JsonResponse({"code": "not_authenticated", "detail": detail}, status=401)

    return answer

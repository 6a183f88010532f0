"""Balancers and Prometheus ask by the address of an instance, which no project lists in ALLOWED_HOSTS."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from billing.conf import conf

NAMES = ("healthz", "readyz", "metrics")
View = Callable[[HttpRequest], HttpResponseBase]


def health_by_any_host(get_response: View) -> View:
    """Answer /healthz, /readyz and /metrics before any other middleware. This is a middleware, the first one.

    So they need no allowed host, no https, no session and no database but their own queries.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        view = _view_of(request.path_info) if request.path_info.endswith(NAMES) else None
        return view(request) if view else get_response(request)

    return middleware


def _view_of(path: str) -> View | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match.func if match.view_name in {f"{conf.app_label}:{name}" for name in NAMES} else None

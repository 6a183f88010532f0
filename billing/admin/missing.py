"""A member of staff who lacks a permission gets a page of the admin that says which one, and who can give it.

Django answers a bare 403. The page is worked out from the address that was refused: the act, or the model and the verb.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing.conf import conf

from . import event_export, list_export
from .staff_actions import ACTIONS

TEMPLATE = "billing/admin/missing.html"
VERBS = {"changelist": "view", "change": "view", "history": "view", "add": "add", "delete": "delete"}
ACTS = {
    "stripeevent_process_again": f"{conf.app_label}.replay_stripeevent",
    "stripeevent_mark_as_handled": f"{conf.app_label}.handle_stripeevent",
    "stripeevent_export": event_export.PERMISSION,
    "customer_suggest": f"{conf.app_label}.view_customer",
    "customer_find": f"{conf.app_label}.view_customer",
    "dashboard_section": f"{conf.app_label}.view_dashboard",
    "grant_add": f"{conf.app_label}.grant_customer",
    "agreement_add": f"{conf.app_label}.send_agreement",
    "code_add": f"{conf.app_label}.make_code",
    "limitoverride_add": f"{conf.app_label}.override_limit",
    "pricemove_add": f"{conf.app_label}.start_pricemove",
    "pricemove_stop": f"{conf.app_label}.stop_pricemove",
}


def told(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return the view of the admin, with a page where it refuses a member of staff."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return view(request, *args, **kwargs)
        except PermissionDenied:
            if not admin.site.has_permission(request):
                raise
            return page(request)

    return answer


def page(request: HttpRequest) -> HttpResponse:
    """Answer 403 with the permissions that the address needs and the reader lacks."""
    needed = [name for name in permissions_for(request) if not request.user.has_perm(name)]
    context = {
        **admin.site.each_context(request),
        "title": "You lack a permission",
        "missing": [(name, _in_words(name)) for name in needed],
    }
    return TemplateResponse(request, TEMPLATE, context, status=403)


def permissions_for(request: HttpRequest) -> list[str]:
    """Return the permissions that an address of the admin asks for; none if it is not known."""
    match = request.resolver_match
    if match is None or match.url_name is None:
        return []
    if match.url_name == f"{conf.app_label}_customer_action":
        action = ACTIONS.get(match.kwargs.get("name", ""))
        return [*([f"{conf.app_label}.{action.permission}"] if action else []), f"{conf.app_label}.view_customer"]
    name = match.url_name.removeprefix(f"{conf.app_label}_")
    if name in ACTS:
        return list(dict.fromkeys([ACTS[name], f"{conf.app_label}.view_{name.partition('_')[0]}"]))
    return _of_model(match.url_name)


def _of_model(url_name: str) -> list[str]:
    """Return what a page of a model needs; its name is app, model and page."""
    for model in admin.site._registry:
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        if url_name.startswith(prefix):
            rest = url_name.removeprefix(prefix)
            view = f"{model._meta.app_label}.view_{model._meta.model_name}"
            if rest == "export":
                return [list_export.PERMISSION, view]
            return [f"{model._meta.app_label}.{VERBS[rest]}_{model._meta.model_name}"] if rest in VERBS else [view]
    return []


def _in_words(name: str) -> str:
    app, codename = name.split(".")
    found = Permission.objects.filter(content_type__app_label=app, codename=codename).values_list("name", flat=True)
    return next(iter(found), "")

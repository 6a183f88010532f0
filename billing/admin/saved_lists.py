"""A member of staff gives a filtered list a name, and finds it above the list from then on."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from billing.models import SavedList

MOST = 20
LONGEST = 1000
NOT_KEPT = frozenset({"p", "all", "e"})
NO_NAME = "Give the list a name."
TOO_LONG = "This list has too many filters to be kept."
TOO_MANY = f"You have {MOST} saved lists here. Remove one first."


def of(request: HttpRequest, model: Any) -> QuerySet[SavedList]:
    return SavedList.objects.filter(staff=str(request.user.pk), model=model._meta.label_lower).order_by("name")


def shown(request: HttpRequest, model: Any) -> dict[str, Any]:
    """Return what the list's page needs: the saved lists, and the query of the one that is shown."""
    asked = _query(request.GET)
    found = list(of(request, model))
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_saved"
    return {
        "saved_lists": found,
        "saved_address": reverse(name) if found or asked else "",
        "saved_query": asked,
        "is_saved": any(one.query == asked for one in found),
    }


def change(model_admin: Any, request: HttpRequest) -> HttpResponseRedirect:
    """Save the list by the name given, or remove one, and lead back to the list. Raises `PermissionDenied`."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    query = request.POST.get("query", "")
    if removed := request.POST.get("remove", ""):
        of(request, model_admin.model).filter(name=removed).delete()
    elif problem := _save(model_admin, request, query):
        messages.error(request, problem)
    options = model_admin.opts
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return HttpResponseRedirect(f"{address}?{query}" if query else address)


def _save(model_admin: Any, request: HttpRequest, query: str) -> str:
    """Return why it is not saved, "" if it is; a list of that name is replaced."""
    name = " ".join(request.POST.get("name", "").replace("\0", "").split())[:60]
    if not name:
        return NO_NAME
    if len(query) > LONGEST:
        return TOO_LONG
    mine = of(request, model_admin.model)
    if mine.count() >= MOST and not mine.filter(name=name).exists():
        return TOO_MANY
    of_whom = {"staff": str(request.user.pk), "model": model_admin.model._meta.label_lower, "name": name}
    SavedList.objects.update_or_create(**of_whom, defaults={"query": query.replace("\0", "")})
    messages.success(request, f"Saved the list “{name}”.")
    return ""


def _query(asked: Any) -> str:
    return urlencode([(name, value) for name, values in asked.lists() for value in values if name not in NOT_KEPT])

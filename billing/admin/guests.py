"""Staff give what a guest bought to a subscriber, or have the guest deleted. Each act has a reason, and is logged."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote, unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from billing import cause, clock
from billing.commands import spelled
from billing.conf import conf
from billing.lifecycle import OUTAGES, guests, outage_of
from billing.lifecycle.refusals import NotGivable
from billing.models import LimitOverride, Purchase, listed_subscribers

from . import people
from .asking import ask
from .cause_words import STAFF as BY_STAFF
from .giving import subscriber_widget
from .readonly import ReadOnlyAdmin
from .staff_forms import ReasonForm

PERMISSION = f"{conf.app_label}.match_purchase"
ACTS = {"give": ("Give to a subscriber", "Given"), "forget": ("Delete the guest", "Being deleted")}
ABOUT = {
    "give": "The purchase and its customer at Stripe become the subscriber's, and what is paid is delivered. Make sure "
    "that this subscriber paid: nothing here proves it.",
    "forget": "The worker deletes the customer at Stripe, and the address here. What was paid stays paid, and is never "
    "delivered: refund it at Stripe first, if it is owed.",
}


class GiveForm(ReasonForm):
    subscriber: Any = forms.ModelChoiceField(None, error_messages={"required": "Choose a subscriber."})
    field_order = ["subscriber", "reason"]

    def __init__(self, site: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)
        field: Any = self.fields["subscriber"]
        field.widget = subscriber_widget(site, LimitOverride)
        field.queryset = listed_subscribers()


def is_allowed(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION) and request.user.has_perm(people.view_permission())


class GuestActs(ReadOnlyAdmin):
    """This adds to the page of a purchase what staff do about a guest's."""

    change_form_template = "billing/admin/purchase/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act_view)
        name = f"{conf.app_label}_purchase_act"
        return [path("<path:object_id>/do/<slug:name>/", act, name=name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """Answer GET with what will happen and a form, POST with the act; 409 or an outage's status, with a sentence,
        where nothing was changed."""
        purchase = self.get_object(request, unquote(object_id))
        if purchase is None or name not in ACTS:
            raise Http404
        if not (is_allowed(request) and self.has_view_permission(request, purchase)):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else None
        form = GiveForm(self.admin_site, data) if name == "give" else ReasonForm(None, data)
        if data is None:
            return self._ask(request, purchase, name, form)
        if not form.is_valid():
            return self._ask(request, purchase, name, form, status=400)
        try:
            with cause.recorded_as(f"{BY_STAFF}{request.user.pk}"):
                _act(name, purchase, form.cleaned_data)
        except NotGivable as error:
            return self._ask(request, purchase, name, form, f"{error} Nothing was changed.", status=409)
        except tuple(OUTAGES) as error:
            outage = outage_of(error)
            return self._ask(request, purchase, name, form, spelled(str(outage.for_staff)), outage.status)
        _log(request, purchase, f"{ACTS[name][1]}: {form.cleaned_data['reason']}")
        messages.success(request, f"{ACTS[name][1]}.")
        page = reverse(f"admin:{conf.app_label}_purchase_change", args=[quote(str(purchase.pk))])
        return HttpResponseRedirect(page)

    def _ask(
        self, request: HttpRequest, purchase: Purchase, name: str, form: Any, problem: str = "", status: int = 200
    ) -> HttpResponse:
        about = [ABOUT[name], *([f"The guest's address: {purchase.guest_email}."] if purchase.guest_email else [])]
        return ask(self, request, ACTS[name][0], form, row=purchase, about=about, problem=problem, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        purchase: Any = self.get_object(request, unquote(object_id))
        may = purchase is not None and bool(purchase.guest_email) and is_allowed(request)
        can_give = may and purchase.status in (Purchase.Status.PAID, Purchase.Status.PROCESSING)
        context = {"can_give": can_give, "can_forget": may}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _act(name: str, purchase: Purchase, given: dict[str, Any]) -> None:
    if name == "give":
        guests.give_to(purchase, given["subscriber"])
    else:
        guests.forget(purchase)


def _log(request: HttpRequest, purchase: Purchase, words: str) -> None:
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(Purchase),
        object_id=str(purchase.pk),
        object_repr=str(purchase)[:200],
        action_flag=CHANGE,
        change_message=words,
        action_time=clock.now(),
    )

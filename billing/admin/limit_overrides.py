"""Staff give one subscriber a limit of their own, with a reason, see those that were set, and lift them."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing import cause, clock, lanes, usage
from billing.commands import spelled
from billing.conf import conf
from billing.lifecycle import OUTAGES, outage_of
from billing.models import LimitOverride, PlanLimit, listed_subscribers

from . import cause_words, display, people
from .asking import ask
from .giving import subscriber_widget
from .open_filter import open_filter
from .staff_forms import DayForm
from .usage import OfSubscriber
from .values_filter import ValuesFilter

PERMISSION = f"{conf.app_label}.override_limit"
ABOUT = (
    "This sets the month's limit of a feature for one subscriber, in place of what plans and grants give. Nothing "
    "changes at Stripe. What was used this month stays counted."
)


class OverrideForm(DayForm):
    subscriber: Any = forms.ModelChoiceField(None, error_messages={"required": "Choose a subscriber."})
    feature = forms.ChoiceField()
    quantity = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=usage.overriding.MOST_QUANTITY,
        label="Limit a month",
        help_text="0 stops use. Empty: no limit.",
    )
    field_order = ["subscriber", "feature", "quantity", "until", "reason"]

    def __init__(self, site: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)
        field: Any = self.fields["subscriber"]
        field.widget = subscriber_widget(site, LimitOverride)
        field.queryset = listed_subscribers()
        names = PlanLimit.objects.order_by("feature").values_list("feature", flat=True).distinct()
        cast("Any", self.fields["feature"]).choices = [(name, name) for name in names]
        self.fields["until"].help_text = "Leave it empty to keep it until it is lifted."


@admin.register(LimitOverride)
class LimitOverrideAdmin(OfSubscriber):
    list_display = ["what", "subscriber_link", "state", "reason", "set_on"]
    list_filter = [("feature", ValuesFilter), ("ended_at", open_filter("status", "Open", "Over"))]
    ordering = ["-set_at"]
    fields = ["what", "subscriber_link", "state", "reason", "set_on", "set_by", "lifted_by"]
    readonly_fields = fields
    actions = ["lift"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION) and request.user.has_perm(people.view_permission())

    def has_override_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer GET with the form, POST with the limit; 409 or an outage's status, with a sentence, where nothing was
        set."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, OverrideForm(self.admin_site, initial=request.GET.dict()))
        form = OverrideForm(self.admin_site, request.POST)
        if not form.is_valid():
            return self._ask(request, form, status=400)
        try:
            row = _set(request, form.cleaned_data)
        except usage.LimitRefused as error:
            return self._ask(request, form, f"{error} Nothing was changed.", status=409)
        except tuple(OUTAGES) as error:
            return self._ask(request, form, spelled(str(outage_of(error).for_staff)), outage_of(error).status)
        messages.success(request, f"Set {row} for {row.subscriber}.")
        page = reverse(f"admin:{conf.app_label}_limitoverride_change", args=[row.pk])
        return HttpResponseRedirect(page if self.has_view_permission(request) else reverse("admin:index"))

    def _ask(self, request: HttpRequest, form: Any, problem: str = "", status: int = 200) -> HttpResponse:
        return ask(self, request, "Set a limit", form, about=[ABOUT], problem=problem, status=status)

    @admin.action(description="Lift: plans and grants set the limit again", permissions=["override"])
    def lift(self, request: HttpRequest, rows: QuerySet[LimitOverride]) -> None:
        lifted = sum(_lift(request, row) for row in rows.filter(ended_at=None).order_by("pk"))
        messages.success(request, f"Lifted {lifted:,} limits.")

    @display.column("limit", ordering="feature")
    def what(self, row: LimitOverride) -> str:
        return row.what

    @display.column("status")
    def state(self, row: LimitOverride) -> Any:
        if row.is_in_force(clock.now()):
            until = display.side_by_side(["until", display.moment(row.until)]) if row.until else "until it is lifted"
            return display.lines(display.badge("in force", "good"), until)
        return display.lines(display.badge("over", "quiet"), display.day(row.ended_at or row.until))

    @display.column("set", ordering="set_at")
    def set_on(self, row: LimitOverride) -> Any:
        return display.day(row.set_at)

    @display.column("set by")
    def set_by(self, row: LimitOverride) -> Any:
        return cause_words.words_for(row.cause)

    @display.column("ended by")
    def lifted_by(self, row: LimitOverride) -> Any:
        return cause_words.words_for(row.ended_by)


def _set(request: HttpRequest, given: dict[str, Any]) -> LimitOverride:
    """Set it in the subscriber's lane, in one transaction with the log."""

    def work() -> LimitOverride:
        how = {"until": given["until"], "reason": given["reason"]}
        row = usage.override_limit(given["subscriber"], given["feature"], given["quantity"], **how)
        _log(request, row, ADDITION, f"Set {row}: {given['reason']}")
        return row

    with cause.recorded_as(f"{cause_words.STAFF}{request.user.pk}"):
        return lanes.run_in_lane_of(given["subscriber"], work)


def _lift(request: HttpRequest, row: LimitOverride) -> bool:
    def work() -> bool:
        if is_lifted := usage.lift_override(row.subscriber, row.feature):
            _log(request, row, CHANGE, f"Lifted {row}")
        return is_lifted

    with cause.recorded_as(f"{cause_words.STAFF}{request.user.pk}"):
        return lanes.run_in_lane_of(row.subscriber, work)


def _log(request: HttpRequest, row: LimitOverride, flag: int, words: str) -> None:
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=words,
        action_time=clock.now(),
    )

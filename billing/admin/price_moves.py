"""Staff start a price move, see who is told, who has moved and who objected, stop it, and decide about a row."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.utils import quote, unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import ngettext

from billing import cause, clock, lanes
from billing.commands import spelled
from billing.conf import conf
from billing.lifecycle import price_moves
from billing.models import PriceMove, PriceMoveRow

from . import cause_words, display, people, price_move_start, price_move_words, staff_forms
from .asking import ask
from .cause_words import STAFF as BY_STAFF
from .readonly import ReadOnlyAdmin

STOP = f"{conf.app_label}.stop_pricemove"
DECIDE = f"{conf.app_label}.decide_pricemove"
MOST_AT_ONCE = 100
Decision = Callable[[PriceMoveRow], bool]


@admin.register(PriceMove)
class PriceMoveAdmin(ReadOnlyAdmin):
    list_display = ["prices", "state", "how_far", "notice", "started"]
    list_select_related = ["old_price__plan", "new_price__plan"]
    ordering = ["-started_at", "-pk"]
    search_fields = ["old_price__id__exact", "new_price__id__exact"]
    search_help_text = "Whole id of a price"
    fieldsets = [
        (None, {"fields": ["state", "how_far"], "classes": ["billing-facts"]}),
        ("Prices", {"fields": ["old_words", "new_words", "notice"], "classes": ["billing-facts"]}),
        ("Who and when", {"fields": ["started", "begun_by", "off_sale", "stopped"], "classes": ["billing-facts"]}),
    ]
    change_form_template = "billing/admin/pricemove/change_form.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(price_move_start.START)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer GET with the form, POST with who would be moved, and POST with `start` by starting what was shown;
        with a sentence, and nothing changed, where that is refused.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask_prices(request, price_move_start.StartForm(None))
        form = price_move_start.StartForm(None, request.POST)
        if not form.is_valid():
            return self._ask_prices(request, form, status=400)
        try:
            if not price_move_start.is_as_shown(request, form):
                return self._ask_prices(request, form, preview=price_move_start.preview(form))
            move = price_move_start.start(request, form)
        except price_moves.PriceMoveRefused as error:
            form.refuse(error)
            return self._ask_prices(request, form, status=409)
        except price_move_start.FAILURES as error:
            problem, status = price_move_start.problem_of(error)
            return self._ask_prices(request, form, status=status, problem=problem)
        _log(request, move, f"Started the price move: {form.cleaned_data['reason']}", ADDITION)
        messages.success(request, price_move_start.said_of_started())
        return HttpResponseRedirect(self._page_of(request, move))

    def _ask_prices(self, request: HttpRequest, form: Any, *, status: int = 200, **shown: Any) -> HttpResponse:
        template = "billing/admin/pricemove/add.html"
        return ask(self, request, price_move_start.TITLE, form, status=status, template=template, **shown)

    def _page_of(self, request: HttpRequest, move: PriceMove) -> str:
        may_see = self.has_view_permission(request, move)
        name = f"admin:{conf.app_label}_pricemove_change"
        return reverse(name, args=[quote(move.pk)]) if may_see else reverse("admin:index")

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(self.stop_view)
        name = f"{conf.app_label}_pricemove_stop"
        return [path("<path:object_id>/stop/", stop, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        move = self.get_object(request, unquote(object_id))
        may_stop = move is not None and move.is_running and request.user.has_perm(STOP)
        return super().change_view(request, object_id, form_url, {"may_stop": may_stop, **(extra_context or {})})

    def stop_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Answer GET with the form, POST by stopping the move; 409, with a sentence, where it was not running."""
        move = self.get_object(request, unquote(object_id))
        if move is None:
            raise Http404
        if not (request.user.has_perm(STOP) and self.has_view_permission(request, move)):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, move, staff_forms.ReasonForm(None))
        form = staff_forms.ReasonForm(None, request.POST)
        if not form.is_valid():
            return self._ask(request, move, form, status=400)
        if not _stop(request, move, form.cleaned_data["reason"]):
            return self._ask(request, move, form, price_move_words.NOT_RUNNING, status=409)
        messages.success(request, price_move_words.STOPPED)
        return HttpResponseRedirect(self._page_of(request, move))

    def _ask(
        self, request: HttpRequest, move: PriceMove, form: Any, problem: str = "", status: int = 200
    ) -> HttpResponse:
        about = price_move_words.about_stopping(move)
        return ask(self, request, "Stop the price move", form, row=move, about=about, problem=problem, status=status)

    @display.column("prices", ordering="old_price")
    def prices(self, move: PriceMove) -> Any:
        return display.lines(
            price_move_words.change_of(move), display.plain_id(move.old_price_id), display.plain_id(move.new_price_id)
        )

    @display.column("status")
    def state(self, move: PriceMove) -> Any:
        return price_move_words.state_of(move)

    @display.column("subscriptions")
    def how_far(self, move: PriceMove) -> Any:
        return price_move_words.counts_of(move)

    @display.column("notice")
    def notice(self, move: PriceMove) -> Any:
        when = "written a day before the renewal" if move.at_renewal else "written once the notice is over"
        return display.lines(f"{move.notice_days} days", when)

    @display.column("started", ordering="started_at")
    def started(self, move: PriceMove) -> Any:
        return display.moment(move.started_at)

    @display.column("old price")
    def old_words(self, move: PriceMove) -> Any:
        return display.lines(price_move_words.price_words(move.old_price), display.at_stripe(move.old_price_id))

    @display.column("new price")
    def new_words(self, move: PriceMove) -> Any:
        return display.lines(price_move_words.price_words(move.new_price), display.at_stripe(move.new_price_id))

    @display.column("started by")
    def begun_by(self, move: PriceMove) -> Any:
        return cause_words.words_for(move.started_by) if move.started_by else spelled("manage.py move_price")

    @display.column("old price off sale")
    def off_sale(self, move: PriceMove) -> Any:
        return display.moment(move.retired_at) or "not yet: nobody is told before"

    @display.column("stopped")
    def stopped(self, move: PriceMove) -> Any:
        by = cause_words.words_for(move.stopped_by) if move.stopped_by else spelled("manage.py move_price")
        return display.lines(display.moment(move.stopped_at), by) if move.stopped_at else None


def _stop(request: HttpRequest, move: PriceMove, reason: str) -> bool:
    staff: Any = request.user.pk
    with cause.recorded_as(f"{BY_STAFF}{staff}"), transaction.atomic():
        is_stopped = price_moves.stop(move)
        if is_stopped:
            _log(request, move, f"Stopped the price move: {reason}")
    return is_stopped


def _log(request: HttpRequest, row: PriceMove | PriceMoveRow, text: str, flag: int = CHANGE) -> None:
    staff: Any = request.user.pk
    LogEntry.objects.create(
        user_id=staff,
        content_type=ContentType.objects.get_for_model(type(row)),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=text,
        action_time=clock.now(),
    )


@admin.register(PriceMoveRow)
class PriceMoveRowAdmin(ReadOnlyAdmin):
    list_display = ["state", "who", "amounts", "told", "moves"]
    list_filter = ["status", "moves_at", "move"]
    list_select_related = ["move__old_price", "move__new_price", "subscription__customer__subscriber"]
    ordering = ["-move", "due_at", "pk"]
    search_fields = ["subscription__stripe_id__exact", "subscription__customer__id__exact"]
    search_help_text = "Whole id of a subscription or customer"
    fields = ["state", "who", "amounts", "told", "moves", "moved", "next_look", "of_move"]
    readonly_fields = fields
    actions = ["tell_again", "told_otherwise", "keep"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description="Tell again (where the mail or Stripe failed)", permissions=["decide"])
    def tell_again(self, request: HttpRequest, queryset: QuerySet[PriceMoveRow]) -> None:
        _decide(request, queryset, price_moves.try_again, "Tell again")

    @admin.action(description="Mark as told in another way, and move", permissions=["decide"])
    def told_otherwise(self, request: HttpRequest, queryset: QuerySet[PriceMoveRow]) -> None:
        _decide(request, queryset, price_moves.decide_told, "Marked as told in another way")

    @admin.action(description="Keep the old price", permissions=["decide"])
    def keep(self, request: HttpRequest, queryset: QuerySet[PriceMoveRow]) -> None:
        _decide(request, queryset, price_moves.decide_to_keep, "Keeps the old price")

    @display.column("subscription", ordering="subscription__customer")
    def who(self, row: PriceMoveRow) -> Any:
        return display.lines(people.link(row.subscription.customer), display.plain_id(row.subscription.stripe_id))

    @display.column("status", ordering="status")
    def state(self, row: PriceMoveRow) -> Any:
        return display.lines(price_move_words.badge_of(row), row.reason)

    @display.column("price")
    def amounts(self, row: PriceMoveRow) -> Any:
        return price_move_words.amounts_of(row)

    @display.column("told", ordering="told_at")
    def told(self, row: PriceMoveRow) -> Any:
        times = f"{row.tellings} times" if row.tellings > 1 else ""
        return display.lines(display.day(row.told_at), "mail went out" if row.is_confirmed else "", times)

    @display.column("charged from", ordering="moves_at")
    def moves(self, row: PriceMoveRow) -> Any:
        return display.day(row.moves_at)

    @display.column("new price at Stripe since")
    def moved(self, row: PriceMoveRow) -> Any:
        return display.moment(row.moved_at)

    @display.column("next check")
    def next_look(self, row: PriceMoveRow) -> Any:
        return display.moment(row.due_at)

    @display.column("price move")
    def of_move(self, row: PriceMoveRow) -> Any:
        return display.row_link("pricemove", str(row.move_id), str(row.move))


def _decide(request: HttpRequest, queryset: QuerySet[PriceMoveRow], decision: Decision, done: str) -> None:
    """Decide about each chosen row in its lane, with a log entry, and say for how many that was possible."""
    chosen = list(queryset.values_list("pk", "subscription__customer")[:MOST_AT_ONCE])
    decided = sum(_decide_one(request, pk, lane, decision, done) for pk, lane in chosen)
    one, many = "%(count)d subscription: %(done)s.", "%(count)d subscriptions: %(done)s."
    said = ngettext(one, many, decided) % {"count": decided, "done": done}
    if decided == len(chosen):
        messages.success(request, said)
    else:
        messages.warning(request, f"{said} {price_move_words.LEFT_OUT}")


def _decide_one(request: HttpRequest, pk: int, lane: str, decision: Decision, done: str) -> bool:
    staff: Any = request.user.pk

    def work() -> bool:
        row = PriceMoveRow.objects.select_related("move__old_price", "move__new_price", "subscription__customer").get(
            pk=pk
        )
        is_decided = row.move.is_running and decision(row)
        if is_decided:
            _log(request, row, done)
        return is_decided

    try:
        with cause.recorded_as(f"{BY_STAFF}{staff}"), lanes.exclusive(lane) as commit:
            return commit(work)
    except lanes.LaneBusy:
        return False

"""/admin/billing/dashboard/ is a page among the lists of the admin, for staff with the permission to view it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from billing import clock
from billing.conf import conf
from billing.models import Dashboard
from billing.monitoring import digest
from billing.monitoring.dashboard import Scope, money, periods, sections

from . import dashboard_export
from .readonly import ReadOnlyAdmin


@admin.register(Dashboard)
class DashboardAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        section = self.admin_site.admin_view(self.section)
        weekly = self.admin_site.admin_view(self.weekly)
        return [
            path("weekly/", weekly, name=f"{conf.app_label}_dashboard_weekly"),
            path("", self.admin_site.admin_view(self.page), name=f"{conf.app_label}_dashboard_changelist"),
            path("<slug:key>.<str:kind>", section, name=f"{conf.app_label}_dashboard_section"),
        ]

    @method_decorator(require_POST)
    def weekly(self, request: HttpRequest) -> HttpResponse:
        """Begin or stop the weekly mail to the reader."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.POST.get("wants") == "yes":
            digest.subscribe(request.user)
            messages.success(request, "The week's figures are mailed to you from next Monday on.")
        else:
            digest.unsubscribe(request.user)
            messages.success(request, "The weekly mail is stopped.")
        return HttpResponseRedirect(reverse(f"admin:{conf.app_label}_dashboard_changelist"))

    def section(self, request: HttpRequest, key: str, kind: str) -> HttpResponse:
        """Answer with one section as CSV or JSON; 400 with a sentence to an invalid period."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in dashboard_export.FORMATS:
            raise Http404
        try:
            period = periods.choose(request.GET, timezone.localdate(clock.now()))
        except periods.BadPeriod as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
        found = sections.section_named(Scope(period, request.user), key)
        if found is None:
            raise Http404
        return dashboard_export.response(found, period, kind)

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the dashboard; answer 400, with a sentence and the figures of the usual period, to an invalid period."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.localdate(clock.now())
        try:
            period, problem = periods.choose(request.GET, today), ""
        except periods.BadPeriod as error:
            period, problem = periods.named(periods.DEFAULT, today), str(error)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Billing dashboard",
            "opts": self.opts,
            "media": self.media,
            "period": period,
            "periods": periods.NAMES,
            "today": today,
            "problem": problem,
            "asked": urlencode({"from": period.first_day, "to": period.last_day}),
            "rates": money.rates_in_words(),
            "base": conf.dashboard_currency.upper(),
            "wants_weekly": digest.wants(request.user),
            "formats": dashboard_export.FORMATS,
            "sections": sections.all_sections(Scope(period, request.user)),
        }
        return TemplateResponse(request, "billing/admin/dashboard.html", context, status=400 if problem else 200)

    class Media:
        css = {"all": ("billing/dashboard.css",)}

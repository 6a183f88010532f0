"""Staff see what each run of the sync found and did."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from billing.models import SyncRun
from billing.sync import report

from . import display
from .readonly import ReadOnlyAdmin

HEADS = ("customer", "field", "ours", "Stripe's", "likely cause")
COLOURS = {"done": "good", "failed": "bad", "running": "waiting"}


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ["started", "state", "missed", "compared", "differences_in_short", "calls", "took"]
    list_filter = ["mode", "status"]
    ordering = ["-started_at"]
    fields = ["state", "started", "took", "summary", "events_by_type", "differences", "calls", "what_failed"]
    readonly_fields = fields

    @display.column("started", ordering="started_at")
    def started(self, run: SyncRun) -> Any:
        return display.moment(run.started_at)

    @display.column("status", ordering="status")
    def state(self, run: SyncRun) -> Any:
        return display.lines(display.badge(run.status, COLOURS[run.status], run.error), run.get_mode_display())

    @display.column("differences", ordering="drifted")
    def differences_in_short(self, run: SyncRun) -> Any:
        counts = (("corrected", run.healed), ("imported", run.imported), ("customers left out", run.troubled))
        return display.lines(f"{run.drifted:,}", *(f"{count:,} {what}" for what, count in counts if count))

    @display.column("missed")
    def missed(self, run: SyncRun) -> Any:
        return run.missed

    @display.column("took")
    def took(self, run: SyncRun) -> Any:
        return display.took(run.finished_at - run.started_at) if run.finished_at else None

    @display.column("summary")
    def summary(self, run: SyncRun) -> Any:
        return report.summary(run)

    @display.column("missed events by type")
    def events_by_type(self, run: SyncRun) -> Any:
        return display.preformatted("\n".join(f"{count:>6}  {kind}" for kind, count in sorted(run.events.items())))

    @display.column("differences")
    def differences(self, run: SyncRun) -> Any:
        """Return the first few hundred differences, each with a link to Stripe."""
        rows = [(display.at_stripe(d["customer"]), d["field"], d["ours"], d["theirs"], d["cause"]) for d in run.drifts]
        if not rows:
            return None
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        head = format_html_join("", "<th>{}</th>", ((name,) for name in HEADS))
        return format_html("<table><tr>{}</tr>{}</table>", head, body)

    @display.column("error")
    def what_failed(self, run: SyncRun) -> Any:
        return display.preformatted(run.error) if run.error else None

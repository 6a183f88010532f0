from typing import ClassVar

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    # What the queue runs by itself: dotted path → every how many minutes.
    schedules: ClassVar[dict[str, int]] = {"notifications.outbox.sweep": 1}

    def ready(self) -> None:
        from anymail.signals import tracking as provider_reports

        from billing import metrics as billing_metrics
        from billing.dashboard import sections

        from . import checks, dashboard, metrics, receivers, tracking

        checks.register()
        receivers.connect()
        sections.add(dashboard.section)
        billing_metrics.add("outbox", metrics.families)
        provider_reports.connect(tracking.on_tracking, dispatch_uid="notifications.tracking")

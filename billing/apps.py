from typing import ClassVar

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    # What the queue runs by itself: dotted path → every how many minutes.
    schedules: ClassVar[dict[str, int]] = {
        "billing.worker.sweep": 1,
        "billing.watch.each_minute": 1,
        "billing.sync.runs.hourly": 60,
        "billing.reminders.hourly": 60,
    }

    def ready(self) -> None:
        from . import checks, receivers, stripe_calls, stripe_client

        stripe_client.install()
        stripe_calls.connect()
        receivers.connect()
        checks.register()

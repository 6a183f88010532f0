"""The app starts up here: it installs the Stripe client, receivers and checks, and declares its schedules."""

import re
from typing import Any, ClassVar

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate

from . import hosting
from .conf import conf

LABEL = re.compile(r"[a-z][a-z0-9_]{0,29}")


class BillingConfig(AppConfig):
    name = "billing"
    label = conf.app_label
    default_auto_field = "django.db.models.BigAutoField"

    # The tasks that are queued: dotted path → that of a function which returns the arguments that wait.
    tasks: ClassVar[dict[str, str]] = {"billing.events.worker.drain": "billing.lanes.waiting"}

    # What the queue runs by itself: dotted path → every how many minutes.
    schedules: ClassVar[dict[str, int]] = {
        "billing.events.sweep.sweep": 1,
        "billing.monitoring.watch.each_minute": 1,
        "billing.subscriptions.next_charges.each_minute": 1,
        "billing.lifecycle.price_moves.running.each_minute": 1,
        "billing.lifecycle.agreements.each_minute": 1,
        "billing.lifecycle.guests.match_all": 1,
        "billing.usage.each_minute": 1,
        "billing.sync.runs.hourly": 60,
        "billing.subscriptions.reminders.hourly": 60,
        "billing.payments.due.hourly": 60,
        "billing.lifecycle.guests.hourly": 60,
        "billing.monitoring.digest.hourly": 60,
        "billing.usage.kept.hourly": 60,
        "billing.usage.rollover.hourly": 60,
        "billing.usage.credit_reminders.hourly": 60,
    }

    def __init__(self, app_name: str, app_module: Any) -> None:
        """Raise ImproperlyConfigured if another app has our label, since Django's error does not say what to set, or if
        the label is no name that a table can have without quotes."""
        if not LABEL.fullmatch(self.label):
            raise ImproperlyConfigured(
                f"BILLING_APP_LABEL is {self.label!r}, and must be at most 30 small letters, digits and underscores."
            )
        if other := _app_labelled(self.label):
            raise ImproperlyConfigured(
                f'{other} has the label "{self.label}" too. Set BILLING_APP_LABEL to a name that is free, for example '
                '"stripe_billing" (docs/integration.md#names-that-are-taken).'
            )
        super().__init__(app_name, app_module)

    def import_models(self) -> None:
        """Name the apps that INSTALLED_APPS lacks, before imports of them fail with errors that do not help."""
        needed = [name for name in hosting.APPS if name != "django_q" or conf.queue == "django-q2"]
        if missing := [name for name in needed if not apps.is_installed(name)]:
            raise ImproperlyConfigured(
                f"billing needs {', '.join(missing)}, which INSTALLED_APPS lacks: add each there, "
                "or write INSTALLED_APPS += billing.hosting.APPS."
            )
        super().import_models()

    def ready(self) -> None:
        from . import forking, queues, stripe_client, unanswered
        from .events import receivers
        from .monitoring import workers
        from .setup import checks, watching
        from .stripe_client import call_counts

        post_migrate.connect(watching.install, sender=self, dispatch_uid="billing.setup.watching")
        forking.watch()
        unanswered.watch(lambda: conf.unanswered_seconds)
        stripe_client.follow_settings()
        stripe_client.djstripe_calls.install()
        queues.task_done.connect(call_counts.write, dispatch_uid="billing.stripe_client.call_counts")
        queues.task_done.connect(workers.note_run, dispatch_uid="billing.monitoring.workers")
        queues.prepare()
        receivers.connect()
        checks.register()


def _app_labelled(label: str) -> str:
    """Return the name of another app with this label; empty if there is none. Apps after ours are not loaded yet, so
    those are looked at whose name speaks for it."""
    if label in apps.app_configs:
        return apps.app_configs[label].name
    others = (entry for entry in settings.INSTALLED_APPS if label in entry and entry.partition(".")[0] != "billing")
    return next((found.name for entry in others if (found := AppConfig.create(entry)).label == label), "")

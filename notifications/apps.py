"""The app checks what is installed, and connects checks, receivers, dashboard and metrics."""

from importlib.util import find_spec
from typing import ClassVar

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured


class MailConfig(AppConfig):
    """Configure the mails' app. The wheel installs this package as `billing_mail`, since other projects have their own
    `notifications`."""

    name = __name__.rpartition(".")[0]
    label = "billing_mail"
    verbose_name = "Mail"
    default_auto_field = "django.db.models.BigAutoField"

    # The tasks that are queued: dotted path → that of a function which returns the arguments that wait.
    tasks: ClassVar[dict[str, str]] = {f"{name}.outbox.deliver": f"{name}.outbox.waiting"}

    # What the queue runs by itself: dotted path → every how many minutes.
    schedules: ClassVar[dict[str, int]] = {f"{name}.outbox.sweep": 1}

    def import_models(self) -> None:
        """Import the models; raise ImproperlyConfigured first if `billing` or a package we need is missing."""
        if not apps.is_installed("billing"):
            raise ImproperlyConfigured(f"{self.name} mails what billing announces: add billing to INSTALLED_APPS.")
        _require("anymail", "css_inline")
        super().import_models()

    def ready(self) -> None:
        from anymail.signals import tracking as provider_reports

        from billing.lifecycle import own_data, price_moves
        from billing.monitoring import metrics as billing_metrics
        from billing.monitoring.dashboard import sections

        from . import checks, dashboard, facts_of_own, metrics, price_notices, receivers, tracking

        checks.register()
        receivers.connect()
        price_moves.add_witness("mail", price_notices.witness)
        own_data.add("mails", facts_of_own.mails_of)
        sections.add(dashboard.section)
        billing_metrics.add("outbox", metrics.families)
        provider_reports.connect(tracking.on_tracking, dispatch_uid="billing_mail.tracking")


def _require(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ImproperlyConfigured(
            f"billing's mails need {' and '.join(missing)}: pip install 'django-stripe-lanes[mail]'."
        )

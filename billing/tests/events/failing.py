"""A host project's receiver that raises, and time that passes until its event is due again."""

from datetime import timedelta

from django.utils import timezone
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import testing
from billing.events import sweep
from billing.models import StripeEvent


class Broken:
    """A host project's receiver that raises until it is mended."""

    def __init__(self, event_type):
        self.signal, self.is_broken, self.calls = WEBHOOK_SIGNALS[event_type], True, 0
        djstripe_receiver(event_type)(self)

    def __call__(self, sender, event, **kwargs):
        self.calls += 1
        if self.is_broken:
            raise LookupError("the host project's shelf is empty")

    def disconnect(self):
        self.signal.disconnect(self, sender=Event)


def make_due():
    StripeEvent.objects.filter(status="failed").update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    sweep.sweep()
    testing.work()

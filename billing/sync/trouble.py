"""If one customer's sync fails, the error is noted, staff are alerted, and the sync goes on with the others."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from billing.lanes import LaneBusy
from billing.models import SyncRun
from billing.stripe_account import WrongAccount
from billing.stripe_client import StripeUnavailable

from . import report

log = logging.getLogger(__name__)

# Database, Stripe or the sync's own lane are away: that is everybody's trouble.
EVERYBODYS = (OperationalError, InterfaceError, StripeUnavailable, WrongAccount, LaneBusy)
_counting = threading.Lock()


def is_done(work: Callable[[], object]) -> bool:
    """Do `work` that is about several customers; False if it failed for one of them, who is then found alone."""
    try:
        work()
    except EVERYBODYS:
        raise
    except Exception:
        log.warning("done for each customer alone", exc_info=True)
        return False
    return True


@contextmanager
def of_one(run: SyncRun, customer: str) -> Iterator[None]:
    """Note an error that is about this customer alone, in place of raising it."""
    try:
        yield
    except EVERYBODYS:
        raise
    except Exception as error:
        log.exception("not synced", extra={"lane": customer})
        with _counting:
            run.troubled += 1
            report.note(run, f"{customer} could not be synced: {type(error).__name__}.")

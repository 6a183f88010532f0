"""Settings of the worker processes that the queue's tests start: the site's own, with a short lease."""

import os

from config.settings import *  # noqa: F403
from config.settings import Q_CLUSTER

BILLING_LEASE_SECONDS = 2
BILLING_CLOCK = ""
BILLING_DELETE_CUSTOMER = os.environ.get("KEEP_CUSTOMER") is None
Q_CLUSTER = {**Q_CLUSTER, "timeout": 20, "retry": 22, "workers": 2}

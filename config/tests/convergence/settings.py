"""Settings of the processes that the convergence test starts: the site's own, with mail that is counted, not sent."""

from billing import mailer
from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, Q_CLUSTER, text

from .plans import PACKS, PLANS

INSTALLED_APPS = [*INSTALLED_APPS, "config.tests.convergence.goods.Goods"]
DEBUG = False
MAILBOX = text("MAILBOX")
MAIL = mailer.mail_settings("config.tests.convergence.mailbox.Mailbox")
vars().update(MAIL)
BILLING_PLANS, BILLING_PACKS = PLANS, PACKS
# An outage of the story is over in a second.
BILLING_STRIPE_CIRCUIT_SECONDS = 0.3
BILLING_STRIPE_RATE = 400
Q_CLUSTER = {**Q_CLUSTER, "poll": 0.05, "timeout": 20, "retry": 22, "workers": 2}

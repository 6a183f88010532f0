"""A site for each page; its sandbox is the one of the whole run."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.dispatch import Signal

from billing import signals

from .shell import shell
from .site import Site

SIGNALS = [value for value in vars(signals).values() if isinstance(value, Signal)]


@pytest.fixture
def receivers_of_the_page_alone():
    before = [(signal, list(signal.receivers)) for signal in SIGNALS]
    yield
    for signal, receivers in before:
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@pytest.fixture
def site(live_server, world, settings, tmp_path, receivers_of_the_page_alone):
    settings.DEBUG = True
    settings.SITE_URL = live_server.url
    settings.STRIPE_WEBHOOK_SECRETS = [*settings.STRIPE_WEBHOOK_SECRETS, "whsec_demo"]
    with shell(tmp_path) as run_by:
        site = Site(world, live_server.url, run_by)
        call_command("setup_stripe", "--yes", stdout=StringIO())
        site.begin()
        yield site
        site.end()

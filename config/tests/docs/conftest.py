"""A site for each page; its sandbox is the one of the whole run."""

from io import StringIO

import pytest
from django.core.management import call_command

from .shell import shell
from .site import Site, receivers_of_a_page


@pytest.fixture
def site(live_server, world, settings, tmp_path):
    settings.DEBUG = True
    # Django's test client is a host of its own, which the check of DEBUG takes for one that others reach.
    settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "config.E008"]
    settings.SITE_URL = live_server.url
    settings.STRIPE_WEBHOOK_SECRETS = [*settings.STRIPE_WEBHOOK_SECRETS, "whsec_demo"]
    with shell(tmp_path) as run_by, receivers_of_a_page():
        site = Site(world, live_server.url, run_by)
        call_command("setup_stripe", "--yes", stdout=StringIO())
        site.begin()
        yield site
        site.end()

"""The version of Stripe's API stands in one place of `billing`, and in one of the sandbox."""

import re

from django.conf import settings

from billing.conf import API_VERSION

DEFINED = {"billing/conf.py", "stripe_sandbox/versions.py"}


def test_no_other_code_writes_it_out():
    roots = ("accounts", "bench", "billing", "config", "notifications", "stripe_sandbox")
    files = [path for root in roots for path in (settings.BASE_DIR / root).rglob("*.py")]
    written = re.compile(rf"""["']{re.escape(API_VERSION)}""")
    found = {str(path.relative_to(settings.BASE_DIR)) for path in files if written.search(path.read_text())}
    assert found == DEFINED

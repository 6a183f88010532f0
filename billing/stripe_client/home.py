"""A database that has sold has a home: the site that it was set up for. A copy of it elsewhere calls no live account.

`manage.py setup` writes the home down where the key is a live one. Whoever restores such a database into another site
that has the live key too, for example with a copied environment, would else charge, refund and mail real people twice.
"""

import time
from urllib.parse import urlsplit

from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils import timezone

from billing.commands import spelled
from billing.conf import conf

TABLE = f"{conf.app_label}_home"
REMEMBERED_SECONDS = 60
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_remembered: tuple[float, str] = (0.0, "")


def reset() -> None:
    """Forget what this process remembers."""
    global _remembered  # noqa: PLW0603
    _remembered = (0.0, "")


def why_away() -> str:
    """Return why nothing is asked of Stripe and nothing is mailed here, and what to do; "" if all is in order.

    Without a live key, or before `setup` has run with one, it is always in order. A process asks once a minute.
    """
    if not conf.live_mode:
        return ""
    home, here = _known(), host()
    if home in ("", here):
        return ""
    return spelled(
        f"This database belongs to {home}, and this site is {here or 'without SITE_URL'}: it calls no live Stripe "
        "account and sends no mail. A copy gets a test key. If the site has moved for good, run manage.py setup --moved"
    )


def host() -> str:
    """Return the host of SITE_URL; "" where there is none, or only this machine reaches it."""
    name = urlsplit(conf.site_url).hostname or ""
    return "" if name in LOOPBACK else name


def settle(*, has_moved: bool) -> None:
    """Write down that this site is the database's home, if it has none, or if it has moved."""
    if conf.live_mode and host():
        kept = "DO UPDATE SET host = excluded.host, since = excluded.since" if has_moved else "DO NOTHING"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} (id, host, since) VALUES (1, %s, %s) ON CONFLICT (id) {kept}",  # noqa: S608
                [host(), timezone.now()],
            )
        reset()


def _known() -> str:
    global _remembered  # noqa: PLW0603
    until, home = _remembered
    if time.monotonic() < until:
        return home
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT host FROM {TABLE} WHERE id = 1")  # noqa: S608
            found = cursor.fetchone()
    except DatabaseProblem:
        return ""
    _remembered = (time.monotonic() + REMEMBERED_SECONDS, found[0] if found else "")
    return _remembered[1]

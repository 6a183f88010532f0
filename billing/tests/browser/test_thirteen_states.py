import pytest

from . import states
from .test_subscriber import see, signed_in, site

__all__ = ["see", "signed_in", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ALL = [
    states.past_due_in_grace,
    states.dispute_hold,
    states.overdue_terms,
    states.past_due_in_grace,
    states.dispute_hold,
    states.overdue_terms,
    states.past_due_in_grace,
    states.grace_over,
    states.debit_under_way,
    states.overdue_terms,
    states.cancelled_at_end,
    states.downgrade_scheduled,
    states.dispute_hold,
    states.unknown_price,
    states.two_lines,
]


@pytest.mark.parametrize("state", ALL, ids=lambda s: s.__name__)
def test_x(world, site, browse, shoot, client, settings, state):
    user = state(world)
    client.force_login(user)
    page = browse(site + "/accounts/login/")
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": site,
            }
        ]
    )
    for name, path in {"account": "/billing/", "prices": "/", "change": "/billing/change"}.items():
        page.goto(path)
        shoot(page, f"t-{name}-{state.__name__}")

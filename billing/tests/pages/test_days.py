"""One page has one calendar and one language."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from billing.models import Payment
from billing.pages import days

AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "period"),
    [
        ("en", "December 1, 2026", "November 30, 2026 – December 31, 2026"),
        ("de", "1. Dezember 2026", "30. November 2026 – 31. Dezember 2026"),
        ("fr", "1 décembre 2026", "30 novembre 2026 – 31 décembre 2026"),
        ("xx", "December 1, 2026", "November 30, 2026 – December 31, 2026"),
    ],
)
def test_a_day_is_that_of_the_sites_time_zone_in_the_language_of_the_reader(settings, language, day, period):
    with translation.override(language):
        assert days.day(AT) == day
        settings.TIME_ZONE = "America/Los_Angeles"
        assert days.period(AT, datetime(2027, 1, 1, 3, 0, tzinfo=UTC)) == period


@pytest.mark.django_db
def test_the_account_page_names_no_day_of_another_calendar(world, client, settings):
    settings.TIME_ZONE = "America/Los_Angeles"
    ada = world.subscribed()
    Payment.objects.update(period_start=AT, period_end=datetime(2027, 1, 1, 3, 0, tzinfo=UTC), paid_at=AT)
    client.force_login(ada.user)
    page = client.get("/billing/", headers={"Accept-Language": "de"}).content.decode()
    assert "30. November 2026 – 31. Dezember 2026" in page
    assert "Dec" not in page

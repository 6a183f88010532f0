"""The ribbon with the sandbox's time, as it stands on the site's and the admin's pages."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from billing import clock

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
LOOKS = pytest.mark.parametrize("look", [{}, {"phone": True, "dark": True}], ids=["desktop", "phone in the dark"])


@pytest.fixture
def site(live_server, world, settings, monkeypatch):
    settings.BILLING_CLOCK = clock.SANDBOX_CLOCK
    monkeypatch.setattr(clock, "sandbox_now", clock.SandboxClock())
    world.advance(days=40)
    return live_server.url


def assert_stands_above_everything(page, shoot, name):
    shoot(page, f"ribbon-{name}")
    ribbon = page.get_by_role("note")
    expect(ribbon).to_contain_text("Sandbox time:")
    box, header = ribbon.bounding_box(), page.locator("header").first.bounding_box()
    assert (box["x"], box["y"]) == (0, 0)
    assert header["y"] >= box["height"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@LOOKS
def test_on_the_site_it_covers_nothing_and_everyone_can_read_it(site, browse, shoot, look):
    page = browse(f"{site}/", **look)
    assert_stands_above_everything(page, shoot, f"site-{'phone' if look else 'desktop'}")
    assert accessibility.problems(page) == []


@LOOKS
def test_in_the_admin_it_covers_nothing_and_everyone_can_read_it(site, browse, shoot, look):
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)
    page = browse(f"{site}/admin/login/?next=/admin/billing/plan/", **look)
    page.locator("#id_username").fill("root@example.com")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    assert_stands_above_everything(page, shoot, f"admin-{'phone' if look else 'desktop'}")
    assert [problem for problem in accessibility.problems(page) if "sandbox-clock" in str(problem)] == []

"""The pages in the reader's language, in a browser: German, and mirrored from right to left; at a desk, on a phone."""

import pytest
from playwright.sync_api import expect

from billing import testing

from .test_subscriber import PASSWORD, PHONE, see, site

__all__ = ["see", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
# Elements whose own text is wider than they are, or goes beyond the window.
CUT = """() => [...document.querySelectorAll("h1, h2, p, a, button, dt, dd, li, label, span, th, td")].filter(each =>
  each.offsetParent !== null && !each.closest(".hidden, .skip, .scroll, .brand")
  && getComputedStyle(each).clipPath === "none"
  && (each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
      || each.getBoundingClientRect().left < -1
      || (getComputedStyle(each).overflow === "hidden" && each.scrollWidth > each.clientWidth + 1))
).map(each => each.textContent.trim().slice(0, 60))"""


def nothing_is_cut(page):
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    within = "each => each.scrollWidth <= each.clientWidth + 2"  # what only screen readers see is one pixel wide
    assert all(table.evaluate(within) for table in page.locator(".scroll").all()), "no table is wider than its card"


def log_in(page, site, user):
    page.goto(f"{site}/accounts/login/?next=/billing/")
    page.locator("input[name=username]").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button.block").click()


@LOOKS
def test_prices_and_account_page_in_german(world, site, browse, see, look):
    page = browse(site, locale="de-DE", **look)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Einfache Preise, für Einzelne und ganze Teams")
    expect(page.get_by_role("link", name="Pro wählen")).to_be_visible()
    nothing_is_cut(page)
    ending = "-phone" if look else ""
    see(page, f"prices-german{ending}")
    ada = world.subscribed()
    testing.work()
    log_in(page, site, ada.user)
    expect(page.get_by_role("heading", level=1)).to_have_text("Abrechnung")
    expect(page.get_by_text("Nächste Zahlung")).to_be_visible()
    expect(page.get_by_role("link", name="Tarif wechseln")).to_be_visible()
    nothing_is_cut(page)
    see(page, f"billing-german{ending}")


@LOOKS
def test_from_right_to_left_the_pages_are_mirrored(world, site, browse, see, settings, look):
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "Arabic")]
    ending = "-phone" if look else ""
    page = browse(site, locale="ar", **look)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    brand, nav = page.locator(".brand").bounding_box(), page.locator(".nav").bounding_box()
    assert brand["x"] > nav["x"], "the brand stands on the right"
    tick = page.locator(".ticks li").first
    assert tick.evaluate("each => getComputedStyle(each).paddingRight") == "28px"
    nothing_is_cut(page)
    see(page, f"prices-right-to-left{ending}")
    ada = world.subscribed()
    log_in(page, site, ada.user)
    fact = page.locator(".facts div").first
    assert fact.locator("dt").bounding_box()["x"] > fact.locator("dd").bounding_box()["x"]
    nothing_is_cut(page)
    see(page, f"billing-right-to-left{ending}")

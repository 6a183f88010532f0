"""Subscribers in every state look at their pages: each page says what is, and offers nothing that would be refused.

Each page is looked at wide, on phones and in the dark; it has no script, is light, and nothing on it moves.
"""

import gzip
import re

import pytest
from playwright.sync_api import expect

from . import accessibility, axe, states
from .test_subscriber import site

__all__ = ["site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# name → width, whether it is dark; the last is the narrowest phone.
LOOKS = {
    "1280": (1280, False),
    "390": (390, False),
    "390-dark": (390, True),
    "1280-dark": (1280, True),
    "360": (360, False),
}
MOST_BYTES, MOST_REQUESTS = 25_000, 4
SHIFTS = """() => new Promise(resolve => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve(sum), 50);
})"""
CUT = """() => [...document.querySelectorAll("table")].filter(table =>
    table.getBoundingClientRect().right > document.documentElement.clientWidth).length"""

# state → plan and status; what the account page says besides; what can be pressed on the price page.
SAYS = {
    "free": ("Free No subscription", ["0 of 10", "Upgrade"], ["Choose Pro", "Choose Team"]),
    "trial_with_card": ("Team Trial", ["First payment $60.00 on ", "Visa ending 4242"], ["Change to Pro"]),
    "trial_without_card": ("Team Trial, ends on ", ["Add a card to keep it", "Trial ends"], ["Change to Pro"]),
    "active": ("Pro Active", ["Next payment $20.00 on ", "Paid with Visa ending 4242"], ["Change to Team"]),
    "discounted": ("Pro Active", ["50% off (Spring): saves $10.00", "Next payment $10.00 on "], ["Change to Team"]),
    "past_due_in_grace": (
        "Pro Payment overdue",
        ["Your Visa ending 0341 was declined on ", "$20.00 is due for Pro.", "We try again on ", "Due now $20.00"],
        [],
    ),
    "grace_over": ("Pro Payment overdue", ["$20.00 is due for Pro.", "Until then you are on the free plan."], []),
    "debit_under_way": (
        "Pro Active",
        ["Your payment of $20.00 is on its way", "Paid with Bank account ending 6789"],
        ["Change to Team"],
    ),
    "overdue_terms": ("Pro Payment overdue", ["was due on ", "$20.00 is due for Pro.", "Invoice, when you pay it"], []),
    "cancelled_at_end": ("Pro Active, ends on ", ["You won't be charged for it again.", "Access ends"], []),
    "downgrade_scheduled": ("Team Active", ["Your plan changes to Pro on ", "Keep Team"], []),
    "dispute_hold": (
        "Pro On hold",
        ["$20.00 is charged on ", "unless you cancel before then", "Next payment $20.00 on "],
        [],
    ),
    "unknown_price": ("Pro Active", ["Your new price is being set up", "Next payment $9.00 on "], []),
    "two_lines": ("Pro Active", ["Storage Active", "$5.00 per month", "$5.00 on "], ["Change to Team"]),
}  # fmt: skip
BUTTONS = re.compile("^(Choose|Change to) ")


@pytest.fixture
def enter(site, browse, client, settings):
    """`enter(user)`: their page; they have logged in."""

    def page_of(user):
        client.force_login(user)
        page = browse(f"{site}/accounts/signup/")
        page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])
        return page

    return page_of


def words(place):
    return re.sub(r"\s+", " ", place.inner_text())


def look_at(page, path, name, shoot):
    """Look at a page in every look; return its words."""
    answers = {}  # by address: the icon of the page before may come late

    def keep(response):
        answers[response.url] = response

    page.on("response", keep)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.remove_listener("response", keep)
    assert len(answers) <= MOST_REQUESTS, list(answers)
    assert [answer.url for answer in answers.values() if answer.status != 200] == []
    assert sum(len(gzip.compress(answer.body())) for answer in answers.values()) <= MOST_BYTES
    assert page.locator("script").count() == 0
    assert page.evaluate(SHIFTS) == 0
    for look, (width, dark) in LOOKS.items():
        page.set_viewport_size({"width": width, "height": 860})
        page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        shoot(page, f"state-{name}-{look}")
        assert (name, look, accessibility.problems(page)) == (name, look, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, look)
    assert (name, axe.in_every_look(page)) == (name, {})
    assert page.evaluate(CUT) == 0, f"a table is cut on {name}"
    return words(page.get_by_role("main"))


@pytest.mark.parametrize("state", SAYS)
def test_each_page_says_what_a_subscriber_has_owes_and_can_do(world, enter, shoot, state):
    plan, sentences, offers = SAYS[state]
    page = enter(getattr(states, state)(world))
    said = look_at(page, "/billing/", f"account-{state}", shoot)
    assert words(page.get_by_role("region", name="Plan").first).upper().startswith(f"PLAN {plan}".upper())
    assert [sentence for sentence in sentences if sentence not in said] == [], said
    look_at(page, "/", f"prices-{state}", shoot)
    pressed = page.get_by_role("main").locator("a, button").filter(has_text=BUTTONS)
    assert [text.strip() for text in pressed.all_inner_texts()] == offers
    assert page.locator(".banner").count() <= 1
    expect(page.get_by_text("free trial")).to_have_count(1 if state == "free" else 0)

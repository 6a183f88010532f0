"""A member of staff answers "I paid and have no access", in the browser: finds, reads, mends, and looks around."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from billing import access, testing
from billing.lifecycle import deletion
from billing.models import Dispute, Hold, StripeEvent, Usage

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
PHONE = {"phone": True, "dark": True, "javascript": False}
LISTS = ("payment", "paymentfailure", "refund", "dispute", "hold", "grant", "usage", "accountdeletion", "customer")


@pytest.fixture
def enter(live_server, browse):
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)

    def staff(path="/admin/", **look):
        page = browse(f"{live_server.url}/admin/login/?next={path}", **look)
        page.locator("#id_username").fill("root@example.com")
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    return staff


@pytest.fixture
def see(shoot):
    """Keeps the page as it looks, and holds that everyone can use what is ours of it."""

    def look(page, name):
        shoot(page, f"admin-{name}")
        found = accessibility.problems(page)
        ours = [said for said in found if "billing-" in said and '<fieldset class="module' not in said]
        assert (name, ours) == (name, [])

    return look


@pytest.fixture
def ada(world):
    """Paid, was declined, paid again; the event that says so died on the way."""
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    world.deliver()
    world.advance(days=4)
    world.deliver()
    world.change_card(ada, "pm_card_visa")
    world.stripe("POST", f"invoices/{world.open_invoice(ada)}/pay")
    world.deliver(work=False)
    for event in StripeEvent.objects.filter(status="received"):
        event.status, event.attempts, event.next_attempt_at = "dead", 7, None
        event.error_message = "Traceback (most recent call last):\nConnectionError: the inventory did not answer"
        event.save()
    return ada


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def follow(page, name):
    page.get_by_role("link", name=name, exact=True).first.click()


def said(page, words):
    expect(page.locator(".messagelist")).to_contain_text(words)


def find(page, whom):
    """Search from the first page for what they wrote from, or what they quote, and open their page."""
    page.goto("/admin/")
    page.get_by_label("Find a subscriber").fill(whom)
    press(page, "Find")
    expect(page.get_by_role("heading", name="Access now")).to_be_visible()


def test_i_paid_and_have_no_access(world, ada, enter, see):
    page = enter()
    see(page, "first-page")
    follow(page, "5 events failed for good")
    expect(page.get_by_role("heading", level=1, name="Stripe events")).to_be_visible()
    expect(page.locator("#result_list tbody tr")).to_have_count(5)
    find(page, "ada@example.com")
    expect(page.get_by_text("and grace ended")).to_be_visible()
    see(page, "subscriber")
    page.locator("li", has_text="invoice.paid").get_by_role("link", name="invoice.paid").first.click()
    press(page, "Process again")
    said(page, "1 event will be processed again.")
    testing.work()
    find(page, world.charge_of(ada)["id"])
    expect(page.get_by_text("The subscription is active and paid until")).to_be_visible()
    see(page, "subscriber-mended")
    hold_and_release(page, see)
    give_access(page, see)
    ask_about_another_day(page, see)
    page.goto("/admin/billing/dashboard/")
    expect(page.get_by_role("heading", level=1, name="Billing dashboard")).to_be_visible()
    assert ada.access.has_access


def hold_and_release(page, see):
    follow(page, "Place a hold")
    press(page, "Place a hold")
    expect(page.get_by_text("Enter a reason, so that your colleagues can find it later.")).to_be_visible()
    page.get_by_label("Reason").fill("Two people use this account, they were asked to write back.")
    see(page, "hold")
    press(page, "Place a hold")
    said(page, "Placed a hold.")
    expect(page.get_by_text("no access", exact=True)).to_be_visible()
    see(page, "subscriber-held")
    follow(page, "Release the staff hold")
    page.get_by_label("Reason").fill("They did.")
    see(page, "release")
    press(page, "Release a hold")
    said(page, "Released the staff hold.")


def give_access(page, see):
    follow(page, "Give access")
    page.get_by_label("Plan").select_option(label="Team")
    page.get_by_label("Until the end of").fill(_later(page))
    page.get_by_label("Reason").fill("We were down for a day.")
    see(page, "grant")
    press(page, "Give access")
    said(page, "Gave Team until")
    see(page, "subscriber-given")


def _later(page):
    """The first day that the form takes."""
    return page.get_by_label("Until the end of").get_attribute("min")


def ask_about_another_day(page, see):
    day = timezone.now() + timedelta(days=2)
    page.get_by_label("Show access on").fill(day.strftime("%Y-%m-%dT%H:%M"))
    press(page, "Show")
    expect(page.get_by_role("heading", name="Access on")).to_be_visible()
    see(page, "subscriber-back-then")
    follow(page, "Back to now")
    page.locator("#content").get_by_role("link", name="Money", exact=True).click()
    expect(page.locator(".billing-timeline")).to_contain_text("Paid $20.00")


def test_it_is_answered_on_a_phone_in_the_dark_without_javascript(world, ada, enter, see):
    page = enter(f"/admin/billing/customer/{ada.customer}/change/", **PHONE)
    expect(page.get_by_text("and grace ended")).to_be_visible()
    see(page, "subscriber-phone")
    follow(page, "Give access")
    see(page, "grant-phone")


@pytest.mark.parametrize("look", [{}, {"phone": True}], ids=["1280", "phone"])
def test_somebody_who_never_bought_is_chosen_by_address_and_given_access(world, enter, see, look):
    eve = get_user_model().objects.create_user("eve@example.com", PASSWORD)
    page = enter("/admin/billing/grant/", **look)
    follow(page, "Add grant")
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("eve@")
    page.get_by_role("option", name="eve@example.com").click()
    page.get_by_label("Plan").select_option(label="Team")
    page.get_by_label("Until the end of").fill(_later(page))
    page.get_by_label("Reason").fill("She tries it for her company.")
    see(page, f"give-{'phone' if look else '1280'}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, "Give access")
    said(page, "Gave Team until")
    see(page, f"given-{'phone' if look else '1280'}")
    assert access.has_access(eve, plan="team")


def test_money_and_who_leaves_are_read_at_a_glance(world, enter, see):
    people = [world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben", "eve")]
    made = world.control("disputes", charge=world.charge_of(people[0])["id"], reason="fraudulent")
    world.control("disputes", charge=world.charge_of(people[1])["id"], inquiry=True)
    world.stripe("POST", "refunds", charge=world.charge_of(people[2])["id"], amount=500)
    world.change_card(people[1], "pm_card_chargeCustomerFail")
    world.deliver()
    world.advance(days=32)
    world.deliver()
    start = timezone.now()
    Usage.objects.create(subscriber=people[2].user, feature="generations", used=480, period_start=start)
    deletion.begin(people[2].user)
    Hold.objects.create(customer_id=people[1].customer, kind="staff", reference="x", reason="case 7", placed_at=start)
    assert Dispute.objects.get(pk=made["id"]).evidence_due_at
    page = enter()
    see(page, "index")
    for name in LISTS:
        page.goto(f"/admin/billing/{name}/")
        see(page, f"list-{name}")
        row = page.locator("#result_list tbody th a, #result_list tbody td a[href$='/change/']").first
        if name in ("dispute", "refund", "payment", "accountdeletion", "paymentfailure"):
            row.click()
            see(page, f"row-{name}")
    page = enter("/admin/billing/dispute/", **PHONE)
    see(page, "list-dispute-phone")


PLACES = """() => {
    const box = (query) => document.querySelector(query)?.getBoundingClientRect().toJSON();
    return {
        wide: innerWidth, content: box("#content"), find: box(".billing-find"), main: box("#content-main"),
        aside: box("#content-related"), foot: box("#footer"), scrolled: document.documentElement.scrollWidth,
        isInside: ["#content-main", "#content-related"].every((query) => document.querySelector(`#content ${query}`)),
    };
}"""


@pytest.mark.parametrize("look", [{}, {"phone": True}], ids=["1280", "phone"])
def test_the_first_page_holds_together(enter, see, look):
    page = enter(**look)
    expect(page.get_by_label("Find a subscriber")).to_be_visible()
    at = page.evaluate(PLACES)
    assert at["isInside"], "the lists and what was done last stand in the page's own frame"
    assert at["scrolled"] <= at["wide"]
    assert at["find"]["bottom"] <= at["main"]["top"], "the find box is above the lists"
    below = max(at["main"]["bottom"], at["aside"]["bottom"])
    assert at["content"]["bottom"] >= below - 1
    assert at["foot"]["top"] >= below - 1
    if not look:
        assert at["wide"] == 1280
        assert at["main"]["right"] <= at["aside"]["left"], "side by side"
        assert at["aside"]["right"] <= at["wide"]
        assert at["aside"]["top"] < at["main"]["top"] + 100, "at the top, and not below the lists"
    see(page, f"first-page-{'phone' if look else '1280'}")

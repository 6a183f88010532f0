"""Ten things are found as staff in three clicks each, from the admin's first page; each page is light and asks for no
jQuery."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from billing.models import DigestReader, Invoice, SavedList, StripeEvent

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
HEAVIEST = 150_000  # unpacked; packed, it is a quarter of this

# What the page and all that it loaded weigh, unpacked, whether or not it was in the browser's cache.
WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map(({name, decodedBodySize}) => [name, decodedBodySize])"""

# How much of the page has moved since it was first drawn (CLS).
SHIFT = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({value}) => { sum += value; }))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 100);
})"""


class Staff:
    """A member of staff who counts their clicks, and how heavy each page is."""

    def __init__(self, page, base, shoot):
        self.page, self.base, self.shoot = page, base, shoot
        self.clicks, self.errors = 0, []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def start(self):
        self.clicks = 0
        self.page.goto(f"{self.base}/admin/")

    def click(self, role, name, **more):
        self.clicks += 1
        self.page.get_by_role(role, name=name, **{"exact": True, **more}).first.click()
        self.page.wait_for_load_state()

    def find(self, whom):
        self.page.get_by_label("Find a subscriber").fill(whom)
        self.click("button", "Find")

    def sees(self, words, thing):
        expect(self.page.get_by_text(words).first).to_be_visible()
        assert self.clicks <= 3, thing
        loaded = self.page.evaluate(WEIGHT)
        assert sum(size for _, size in loaded) <= HEAVIEST, (thing, sorted(loaded, key=lambda one: -one[1])[:6])
        assert not [url for url, _ in loaded if "jquery" in url], thing
        assert self.page.evaluate(SHIFT) < 0.05, thing
        self.shoot(self.page, f"admin-ten-{thing}")
        found = accessibility.problems(self.page)
        ours = [said for said in found if ("billing-" in said or "board-" in said) and "<fieldset" not in said]
        assert (thing, ours, self.errors) == (thing, [], [])


@pytest.fixture
def business(world):
    """Ada pays and had a part refunded, Ben was declined, and an event of his died; Eve owes an invoice with terms."""
    ada = world.subscribed()
    ben = world.subscribed(email="ben@example.com")
    eve = world.subscribed(email="eve@example.com")
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=500)
    world.change_card(ben, "pm_card_chargeCustomerFail")
    world.deliver()
    world.advance(days=32)
    world.deliver()
    StripeEvent.objects.filter(lane=ben.customer, type="invoice.updated").update(status="dead", attempts=7)
    Invoice.objects.create(
        id="in_terms", customer_id=eve.customer, purpose="one_off", status="open", collection_method="send_invoice",
        currency="usd", total=9900, amount_due=9900, amount_remaining=9900,
        created_at=timezone.now() - timedelta(days=60), due_at=timezone.now() - timedelta(days=45),
    )  # fmt: skip
    return ada, ben, eve


@pytest.fixture
def staff(live_server, browse, shoot, business):
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)
    page = browse(f"{live_server.url}/admin/login/?next=/admin/")
    page.locator("#id_username").fill("root@example.com")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return Staff(page, live_server.url, shoot)


def test_ten_things_are_found_in_three_clicks_each(staff):
    staff.start()
    staff.find("ada@example.com")
    staff.sees("Paid in all", "what-somebody-has-paid")
    staff.click("link", "Refund")
    staff.sees("Leave it empty to refund all", "how-to-refund")

    staff.start()
    staff.find("ben@example.com")
    staff.sees("generic decline", "why-a-payment-failed")
    staff.click("link", "Cancel the subscription")
    staff.sees("At the end of the period", "how-to-cancel")

    staff.start()
    staff.page.get_by_role("link", name="failed for good").click()
    staff.clicks += 1
    staff.sees("invoice.updated", "events-that-died")

    staff.start()
    staff.click("link", "1 invoice with terms is overdue")
    staff.sees("$99.00", "who-owes-an-invoice")

    staff.start()
    staff.page.locator("#content-main tr").get_by_role("link", name="Customers", exact=True).click()
    staff.clicks += 1
    staff.click("link", "Past due")
    staff.sees("ben@example.com", "who-is-past-due")
    staff.page.get_by_label("Save this list as").fill("Owes us")
    staff.click("button", "Save")
    staff.sees("Saved the list “Owes us”.", "a-list-to-come-back-to")
    assert SavedList.objects.get().query == "status=past_due"

    staff.start()
    staff.click("link", "Billing dashboard", exact=False)
    staff.sees("MRR", "the-mrr")
    staff.click("link", "Payment failure rate: the rows", exact=False)
    staff.sees("ben@example.com", "whose-payments-failed")

    staff.start()
    staff.click("link", "Refunds")
    staff.click("link", "$5.00")
    staff.sees("partial", "what-became-of-a-refund")


def test_the_weekly_mail_is_asked_for_by_keyboard_alone(staff):
    page = staff.page
    page.goto(f"{staff.base}/admin/billing/dashboard/")
    page.get_by_role("button", name="Mail me each week").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("mailed to you from next Monday on")).to_be_visible()
    assert DigestReader.objects.count() == 1
    assert staff.errors == []

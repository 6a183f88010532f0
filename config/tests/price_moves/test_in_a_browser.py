"""Staff follow a price move in the admin, and a subscriber reads of it on the account page: in a browser."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from billing.lifecycle import cancel
from billing.models import PriceMoveRow
from billing.tests.browser import accessibility

from .moving import move, priced, send, the_move, work

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct-horse-battery"


@pytest.fixture
def moving(world):
    """Four people: told, objected, moved, and one whose mail bounced."""
    people = [world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben", "cleo", "dora")]
    move("pro:month", priced(world), "--at-renewal")
    send()
    cancel.cancel(people[1].user, "period_end")
    world.deliver()
    work()
    rows = PriceMoveRow.objects.order_by("pk")
    rows.filter(pk=rows[2].pk).update(status="moved", moved_at=rows[2].told_at)
    rows.filter(pk=rows[3].pk).update(status="untold", reason="The mail is bounced: 550 5.1.1 no such user here")
    return people


def entered(browse, url, path, email, **look):
    page = browse(f"{url}{path}", **look)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_staff_see_who_is_where_and_stop_the_move(moving, live_server, browse, shoot, dark):
    get_user_model().objects.create_superuser("root@example.com", PASSWORD)
    ending = "-dark" if dark else ""
    address = f"/admin/billing/pricemove/{the_move().pk}/change/"
    page = entered(browse, live_server.url, address, "root@example.com", dark=dark)
    expect(page.get_by_role("link", name="1 told, and cancelled")).to_be_visible()
    shoot(page, f"admin-price-move{ending}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.goto("/admin/billing/pricemoverow/")
    expect(page.get_by_text("The mail is bounced")).to_be_visible()
    shoot(page, f"admin-price-move-rows{ending}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.goto(address)
    page.get_by_role("link", name="Stop the price move").click()
    page.get_by_label("Reason").fill("Too many have objected")
    shoot(page, f"admin-price-move-stop{ending}")
    page.get_by_role("button", name="Stop the price move").click()
    expect(page.get_by_text("The price move is stopped.")).to_be_visible()
    assert the_move().stopped_at


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_subscriber_reads_both_amounts_and_the_day(moving, live_server, browse, shoot, phone):
    page = entered(browse, live_server.url, "/accounts/login/?next=/billing/", "ada@example.com", phone=phone)
    expect(page.get_by_text("The price of Pro changes on")).to_be_visible()
    expect(page.get_by_text("New price: $25.00 per month, instead of $20.00")).to_be_visible()
    shoot(page, f"account-coming-price{'-phone' if phone else ''}")
    assert accessibility.problems(page) == []

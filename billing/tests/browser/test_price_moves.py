"""Staff look at who would be moved to another price, and start the move: in the browser."""

import pytest
from playwright.sync_api import expect

from billing.models import Price, PriceMove

from .test_agreements import fits, press, root, signed_in  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def dearer(world):
    old = Price.objects.get(lookup_key="pro_month")
    options = {currency: {"unit_amount": amount + 500} for currency, amount in old.currency_options.items()}
    return world.stripe(
        "POST", "prices", product=old.product, currency="usd", unit_amount=2500, recurring={"interval": "month"},
        currency_options=options,
    )["id"]  # fmt: skip


def test_a_move_is_looked_at_and_then_started(world, signed_in, root, shoot, dearer):  # noqa: F811
    world.subscribed()
    page = signed_in(root, "/admin/billing/pricemove/add/")
    page.get_by_label("Price that is paid now").fill("pro:month")
    page.get_by_label("Price to move to").fill(dearer)
    page.get_by_label("Days of notice").fill("-1")
    page.get_by_label("Reason").fill("Costs rose")
    press(page, "Show who would be moved")
    expect(page.get_by_text("The notice must be between 0 and 730 days, not -1.")).to_be_visible()
    page.get_by_label("Days of notice").fill("30")
    press(page, "Show who would be moved")
    expect(page.get_by_text("1 would be told now")).to_be_visible()
    expect(page.get_by_role("cell", name="$20.00 to $25.00")).to_be_visible()
    fits(page)
    shoot(page, "admin-price-move-preview")
    assert not PriceMove.objects.exists()
    press(page, "Start a price move")
    expect(page.locator(".messagelist")).to_contain_text("the worker tells everybody who pays it")
    expect(page.get_by_role("link", name="Stop the price move")).to_be_visible()
    shoot(page, "admin-price-move-started")
    assert PriceMove.objects.get().new_price_id == dearer

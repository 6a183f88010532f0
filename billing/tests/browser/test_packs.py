"""Packs are bought and codes redeemed in a browser; the sandbox is Stripe."""

import pytest
from playwright.sync_api import expect

from billing import clock
from billing.models import Code, Plan
from billing.setup import publishing_packs

from .test_subscriber import PHONE, press, said, see, signed_in, site

__all__ = ["see", "signed_in", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
def test_a_pack_is_bought_and_stands_on_the_account_page(world, site, signed_in, see, look):
    publishing_packs.publish()
    ending = "-phone" if look else ""
    page = signed_in(world.sign_up(), "/billing/packs", **look)
    see(page, f"packs{ending}")
    press(page, "Buy 1,000 generations")
    expect(page.get_by_text("$15.00").first).to_be_visible()
    session = page.url.rpartition("/")[2]
    world.control(f"checkout/{session}/complete")
    page.goto(f"{site}/billing/packs/return?session_id={session}")
    see(page, f"packs-return{ending}")
    page.goto(f"{site}/billing/")
    expect(page.get_by_text("1,000 generations left")).to_be_visible()
    see(page, f"billing-pack{ending}")


@pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
def test_a_code_is_redeemed(world, site, signed_in, see, look):
    Code.objects.create(code="TEAM26", batch="partner", plan=Plan.objects.get(slug="team"), made_at=clock.now())
    page = signed_in(world.sign_up(), "/billing/redeem?code=team-27", **look)
    press(page, "Redeem")
    expect(page.get_by_role("alert")).to_contain_text("We don't recognise this code.")
    see(page, f"redeem-unknown{'-phone' if look else ''}")
    page.get_by_label("Code").fill("team-26")
    press(page, "Redeem")
    said(page, "Your code gave you Team.")

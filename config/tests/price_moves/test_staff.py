"""Staff see each subscription of a move, stop it with a reason, and decide about who could not be told."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from billing.models import Alert, PriceMove, PriceMoveRow
from billing.setup import doctor
from billing.tests.markup import Page
from notifications.models import Mail

from .moving import move, paid_price, priced, row, send, the_move, to_the_eve, told, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
    return client


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def dearer(world):
    return priced(world)


def page_of(model, page, *args):
    return reverse(f"admin:billing_{model}_{page}", args=args)


def acts(staff, action):
    chosen = {"action": action, "_selected_action": [str(row().pk)]}
    return staff.post(page_of("pricemoverow", "changelist"), chosen, follow=True).content.decode()


def bounced(world, dearer):
    move("pro:month", dearer, notice_days=0)
    send()
    Mail.objects.filter(kind="price_change").update(status="bounced", error="550 no such user")
    to_the_eve(world, row().moves_at)
    assert row().status == "untold"


def test_the_page_of_a_move_counts_its_rows_and_leads_to_them(world, ada, dearer, staff):
    move("pro:month", dearer)
    send()
    html = staff.get(page_of("pricemove", "change", the_move().pk)).content.decode()
    assert "Pro, $20.00 per month" in html
    assert "Pro, $25.00 per month" in html
    assert "1 told</a>" in html
    listed = staff.get(
        page_of("pricemoverow", "changelist"), {"move__id__exact": the_move().pk, "status__exact": "told"}
    )
    assert "$20.00 to $25.00" in listed.content.decode()
    assert Page(html).problems == []


TERMS = {"old_price": "pro:month", "notice_days": "30", "at_renewal": "on", "reason": "Costs rose"}


def shown_terms(page):
    return re.search(r'name="shown" value="([^"]+)"', page)[1]


def test_it_is_started_after_a_look_at_who_would_be_moved(world, ada, dearer, staff):
    add = page_of("pricemove", "add")
    asked = staff.get(add).content.decode()
    assert 'name="start"' not in asked
    given = {**TERMS, "new_price": dearer}
    shown = staff.post(add, given).content.decode()
    assert "1 subscription pays" in shown
    assert "$20.00 to $25.00" in shown
    assert Page(shown).problems == []
    assert not PriceMove.objects.exists()
    other = {**given, "notice_days": "0", "start": "1", "shown": shown_terms(shown)}
    assert "1 subscription pays" in staff.post(add, other).content.decode()
    assert not PriceMove.objects.exists()
    assert staff.post(add, {**given, "start": "1", "shown": shown_terms(shown)}).status_code == 302
    work()
    assert (row().status, told()) == ("told", ["sent"])
    entry = LogEntry.objects.get()
    assert entry.change_message == "Started the price move: Costs rose"
    assert the_move().started_by == f"staff:{entry.user_id}"


@pytest.mark.parametrize("start", [{}, {"start": "1"}])
def test_what_cannot_be_moved_is_refused_at_its_field_and_nothing_changed(world, ada, dearer, staff, start):
    add = page_of("pricemove", "add")
    for wrong, status, sentence in (
        ({"reason": ""}, 400, "Enter a reason"),
        ({"notice_days": "-1"}, 409, "The notice must be between 0 and 730 days, not -1."),
        ({"new_price": "price_of_nobody"}, 409, "Neither we nor Stripe know a price"),
        ({"new_price": "pro:month"}, 409, "Both names mean the price"),
    ):
        answer = staff.post(add, {**TERMS, "new_price": dearer, **wrong, **start})
        assert (answer.status_code, sentence in answer.content.decode()) == (status, True), wrong
    assert not PriceMove.objects.exists()


def test_while_stripe_refuses_writes_nobody_is_told_and_it_is_started_again(world, ada, dearer, staff):
    given = {**TERMS, "new_price": dearer, "start": "1", "shown": f"pro:month|{dearer}|30|True"}
    with world.writes_failing():
        answer = staff.post(page_of("pricemove", "add"), given)
    assert (answer.status_code, "Stripe did not answer" in answer.content.decode()) == (503, True)
    assert not PriceMoveRow.objects.exists()
    assert staff.post(page_of("pricemove", "add"), given).status_code == 302
    assert PriceMove.objects.count() == 1


def test_it_is_stopped_with_a_reason_and_a_log_entry_once(world, ada, dearer, staff):
    move("pro:month", dearer)
    send()
    stop = page_of("pricemove", "stop", the_move().pk)
    asked = staff.get(stop).content.decode()
    assert "1 subscriptions keep the old price." in asked
    assert Page(asked).problems == []
    assert staff.post(stop, {}).status_code == 400
    assert staff.post(stop, {"reason": "Too many objected"}).status_code == 302
    assert staff.post(stop, {"reason": "Again"}).status_code == 409
    work()
    assert (row().status, told("price_stays")) == ("stopped", ["sent"])
    entry = LogEntry.objects.get()
    assert entry.change_message == "Stopped the price move: Too many objected"
    assert the_move().stopped_by == f"staff:{entry.user_id}"
    assert staff.get(page_of("pricemove", "stop", 999)).status_code == 404


def test_who_could_not_be_told_is_an_alert_a_line_of_the_doctor_and_a_row_with_actions(
    world, ada, dearer, staff, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        bounced(world, dearer)
    assert Alert.objects.get(pk=f"price_move:{the_move().pk}").subject.endswith("needs a person")
    said = [finding for finding in doctor.moving.price_moves() if finding.level != "ok"]
    assert "1 subscription of price moves needs a person." in said[0].text
    assert "1 subscription: Marked as told in another way." in acts(staff, "told_otherwise")
    work()
    assert (row().status, paid_price(world, ada)) == ("moved", dearer)
    assert "The others were in another state" in acts(staff, "told_otherwise")


def test_a_corrected_address_is_told_again(world, ada, dearer, staff):
    bounced(world, dearer)
    acts(staff, "tell_again")
    work()
    assert (row().status, sorted(told())) == ("moved", ["bounced", "sent"])


def test_one_person_may_keep_the_old_price(world, ada, dearer, staff):
    move("pro:month", dearer)
    send()
    acts(staff, "keep")
    work()
    assert (row().status, told("price_stays")) == ("kept", ["sent"])
    move("pro:month", dearer)
    assert (row().status, PriceMoveRow.objects.count()) == ("kept", 1)


def test_where_nothing_waits_the_doctor_says_so(db):
    assert [finding.level for finding in doctor.moving.price_moves()] == ["ok"]

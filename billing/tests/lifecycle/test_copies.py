"""Every copy of a deleted subscriber's words is emptied, and another's keeps all of theirs."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from djstripe import models as djstripe

from billing.lifecycle.deletion import copies
from billing.models import CheckoutAttempt, Customer, Hold, Plan, Price, SavedList, StripeEvent, StripeWrite

pytestmark = pytest.mark.django_db
WORDS = "Ada Lovelace wrote us"
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def event(pk, lane, **columns):
    obj = {"id": lane, "object": "customer", "email": "ada@example.com", "name": "Ada"}
    payload = {"id": pk, "type": "customer.updated", "data": {"object": obj}}
    usual = {"type": "customer.updated", "created": 1, "livemode": False, "received_at": timezone.now()}
    return StripeEvent.objects.create(pk=pk, lane=lane, payload=payload, **{**usual, **columns})


@pytest.fixture
def people(db):
    found = [Customer.objects.create(pk=f"cus_{name}") for name in ("ada", "ben")]
    staff = get_user_model().objects.create_user("staff@example.com")
    for one in found:
        Hold.objects.create(customer=one, kind=Hold.Kind.STAFF, reason=WORDS, placed_at=MAY)
        StripeWrite.objects.create(lane=one.pk, action="set_seats", object_id=one.pk, requested_at=MAY,
                                   error_message=WORDS)  # fmt: skip
        for label in ("billing", "contenttypes"):
            kind = ContentType.objects.filter(app_label=label).first()
            LogEntry.objects.create(user=staff, content_type=kind, object_id=one.pk, object_repr=one.pk,
                                    action_flag=CHANGE, change_message=f"Placed a hold: {WORDS}")  # fmt: skip
    return found


def words_about(customer):
    log = LogEntry.objects.filter(object_id=customer.pk).order_by("content_type__app_label")
    return [
        StripeWrite.objects.get(lane=customer.pk).error_message, customer.holds.get().reason,
        *log.values_list("change_message", flat=True),
    ]  # fmt: skip


def test_what_staff_and_stripe_said_goes_and_what_they_did_stays(people):
    ada, ben = people
    before = words_about(ben)
    copies.redact_reasons(ada)
    assert words_about(ada) == ["", "", "Placed a hold", f"Placed a hold: {WORDS}"], "only what is about billing"
    assert words_about(ben) == before
    assert ada.holds.get().placed_at == MAY


def test_what_the_project_sent_along_to_checkout_goes(people):
    plan = Plan.objects.create(slug="p", name="P")
    price = Price.objects.create(pk="price_p", plan=plan, currency="usd", unit_amount=1, interval="month")
    for one in people:
        CheckoutAttempt.objects.create(customer=one, price=price, params={"metadata": {"name": "Ada"}})
    ada, ben = people
    copies.redact_reasons(ada)
    assert [one.checkout_attempts.get().params for one in (ada, ben)] == [{}, {"metadata": {"name": "Ada"}}]


def test_events_are_redacted_by_portions_each_once_and_anothers_are_not(people, monkeypatch):
    monkeypatch.setattr(copies, "PORTION", 2)
    failed = [{"at": "1", "error": f"ValueError: {WORDS}"}, {"at": "2", "error": WORDS}]
    for number in range(3):
        event(f"evt_{number}", "cus_ada", error_message=f"KeyError: {WORDS}", failures=failed)
    bens = event("evt_ben", "cus_ben", error_message=f"KeyError: {WORDS}", failures=failed)
    times = []
    copies.redact_events(
        "cus_ada", lambda: times.append(StripeEvent.objects.unredacted().filter(lane="cus_ada").count())
    )
    assert times == [3, 1, 0]
    for row in StripeEvent.objects.filter(lane="cus_ada"):
        assert row.payload["redacted"] is True
        assert row.payload["data"]["object"] == {"id": "cus_ada", "object": "customer", "email": None, "name": None}
        assert row.error_message == "KeyError"
        assert row.failures == [{"at": "1", "error": "ValueError"}, {"at": "2", "error": ""}]
    left = StripeEvent.objects.get(pk="evt_ben")
    assert (left.payload, left.error_message, left.failures) == (bens.payload, bens.error_message, failed)


def test_an_event_that_never_failed_has_no_failures_afterwards_either(people):
    event("evt_1", "cus_ada")
    copies.redact_events("cus_ada", lambda: None)
    assert StripeEvent.objects.get().failures is None


def test_djstripes_copy_says_no_more_than_ours(people):
    for pk, lane in (("evt_1", "cus_ada"), ("evt_ben", "cus_ben")):
        row = event(pk, lane)
        djstripe.Event.objects.create(id=pk, data=row.payload["data"], stripe_data=row.payload, type=row.type,
                                      livemode=False)  # fmt: skip
    before = djstripe.Event.objects.filter(id="evt_ben").values("data", "stripe_data").get()
    copies.redact_events("cus_ada", lambda: None)
    ours = StripeEvent.objects.get(pk="evt_1").payload
    copy = djstripe.Event.objects.get(id="evt_1")
    assert (copy.data, copy.stripe_data) == (ours["data"], ours)
    assert djstripe.Event.objects.filter(id="evt_ben").values("data", "stripe_data").get() == before


def test_a_host_without_djangos_admin_has_no_log_to_strike_anything_out_of(people, monkeypatch):
    ada, ben = people
    before = words_about(ben)
    monkeypatch.setattr(copies.apps, "is_installed", lambda name: name != "django.contrib.admin")
    copies.redact_reasons(ada)
    copies.redact_log("ada@example.com")
    assert words_about(ada) == ["", "", *before[2:]]
    assert words_about(ben) == before


def test_an_entry_of_the_log_that_names_the_address_in_any_of_its_texts_names_it_no_longer(people):
    staff, address = get_user_model().objects.get(email="staff@example.com"), "ada@example.com"
    for name in copies.LOG_TEXTS:
        usual = {"object_id": "1", "object_repr": "one", "change_message": "changed"}
        LogEntry.objects.create(user=staff, action_flag=CHANGE, **{**usual, name: f"<{address.upper()}>"})
    LogEntry.objects.create(user=staff, action_flag=CHANGE, object_id=None, object_repr=address, change_message="x")
    untouched = LogEntry.objects.create(
        user=staff, action_flag=CHANGE, object_id="1", object_repr="one", change_message=f"an.{address}"
    )
    copies.redact_log("")
    copies.redact_log(address)
    texts = [str(getattr(row, name)) for row in LogEntry.objects.exclude(pk=untouched.pk) for name in copies.LOG_TEXTS]
    assert not [text for text in texts if address in text.lower()]
    assert sum(text == f"<{copies.STRUCK_OUT}>" for text in texts) == 3
    untouched.refresh_from_db()
    assert untouched.change_message == f"an.{address}"


def test_a_list_that_staff_saved_with_the_address_is_deleted_and_others_stay():
    for name, query in {
        "Ada": "q=ada%40example.com",
        "Her": "q=ADA%40example.com&status=active",
        "longer": "q=xada%40example.com",
        "Owes": "status=past_due",
        "of ada@example.com": "status=active",
    }.items():
        SavedList.objects.create(staff="1", model="billing.customer", name=name, query=query)
    copies.redact_log("ada@example.com")
    assert sorted(SavedList.objects.values_list("name", flat=True)) == ["Owes", "longer"]

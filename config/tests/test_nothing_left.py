"""After a deletion the person is found nowhere: every column of every table is searched, whatever still arrives."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from anymail.signals import AnymailTrackingEvent, EventType
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts import tokens
from billing import subscriptions, testing
from billing.events import Event, ledger, stamping, sweep
from billing.lifecycle.deletion import process
from billing.models import AccountDeletion, Customer, Lane, StripeEvent, SyncRun
from billing.stripe_client.http_client import HttpClient
from billing.tests.processes import running, until
from notifications import outbox, tracking
from notifications.models import Mail, Suppression

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

ROUNDS = 10
HOME = {"line1": "Vestergade 7", "city": "Aarhus"}


def tables_with(*words):
    """(table, word) of each word that stands in any column of any row."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            text = "\n".join(map(str, cursor.fetchall())).lower()
            found |= {(table, word) for word in words if word.lower() in text}
    return found


def subscribe_person(world, number, **where):
    """Stripe and we know address, name, phone and street; the last events about them are not delivered yet."""
    word = f"quist{number}x"
    person = world.subscribe(email=f"{word}@example.com", **where)
    known = {"email": f"{word}@example.com", "name": f"Nora {word}", "phone": "+4512345678", "address": HOME}
    world.stripe("POST", f"customers/{person.customer}", metadata={"invoice_to": known["email"]}, **known)
    method = world.stripe("GET", f"subscriptions/{person.subscription}")["default_payment_method"]
    world.stripe("POST", f"payment_methods/{method}", billing_details=known)
    person.word = word
    return person


def send_mails():
    for mail in Mail.objects.filter(status="queued"):
        outbox.deliver(str(mail.pk))


def settled():
    """Sweep at once, as the schedule would every minute."""
    sweep.sweep()
    outbox.sweep()
    return not any(found.exists() for found in _what_is_left())


def _what_is_left():
    yield StripeEvent.objects.waiting()
    yield Lane.objects.exclude(arrived=F("drained"))
    yield AccountDeletion.objects.filter(done_at=None)
    yield AccountDeletion.objects.owed(timezone.now())
    yield Mail.objects.filter(status__in=["queued", "sending"])


@pytest.fixture
def delivering_at_once(world, monkeypatch):
    """Stripe's webhooks of a write are at the door before its caller goes on: whoever holds the lane holds it still."""
    send = HttpClient.send

    def send_and_deliver(self, method, *args, **kwargs):
        answer = send(self, method, *args, **kwargs)
        if method.lower() != "get":
            world.deliver(work=False)
        return answer

    return lambda: monkeypatch.setattr(HttpClient, "send", send_and_deliver)


@pytest.mark.parametrize("is_deleted", [True, False], ids=["customer deleted", "customer kept"])
def test_webhooks_that_come_while_the_deletion_holds_the_lane_bring_nothing_back(
    world, settings, delivering_at_once, is_deleted
):
    settings.BILLING_DELETE_CUSTOMER = is_deleted
    people = [subscribe_person(world, number) for number in range(ROUNDS)]
    delivering_at_once()
    for person in people:
        process.begin(person.user)
        testing.work()
    assert AccountDeletion.objects.filter(done_at__isnull=False).count() == ROUNDS
    assert_nothing_is_left(world)


@pytest.mark.postgres_only
@pytest.mark.parametrize("is_kept", [False, True], ids=["customer deleted", "customer kept"])
def test_deliveries_in_flight_leave_no_address_behind_ten_times_of_ten(world, is_kept):
    """Workers in processes of their own; the webhooks of the deletion's own calls arrive while they hold the lane."""
    people = [subscribe_person(world, number) for number in range(ROUNDS)]
    ben = world.subscribed(email="ben-the-bystander@example.com")
    world.control("faults", api={"latency_ms": 20})
    for person in people:
        process.begin(person.user)
    with running("-m", "django", "qcluster", **({"KEEP_CUSTOMER": "1"} if is_kept else {})):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and AccountDeletion.objects.filter(done_at=None).exists():
            world.deliver(work=False)
        world.deliver(work=False)
        until(settled, seconds=120, what="all applied, deleted and mailed")
        settled()  # a minute later
    assert tables_with("quist", "Vestergade", "+4512345678") == set()
    assert {table for table, _ in tables_with("ben-the-bystander@example.com")} >= {"stripe_events", "accounts_user"}
    assert ben.access.has_access


@pytest.fixture(params=[True, False], ids=["deleted", "kept"])
def gone(world, settings, request):
    """Somebody who has left, and whose last events have been applied."""
    settings.BILLING_DELETE_CUSTOMER = request.param
    person = subscribe_person(world, 1)
    world.deliver()
    person.charge = world.charge_of(person)["id"]
    person.events = list(StripeEvent.objects.filter(lane=person.customer).values_list("pk", flat=True))
    person.before = Customer.objects.get(pk=person.customer)
    send_mails()
    kept = {table for table, _ in tables_with(person.word)}
    assert kept >= {"accounts_user", "billing_customer", "djstripe_customer", "stripe_events"}
    process.begin(person.user)
    testing.work()
    person.in_flight = world.events()
    world.deliver()
    send_mails()
    assert tables_with("quist", "Vestergade") == set()
    return person


def assert_nothing_is_left(world):
    world.deliver()
    sweep.sweep()
    testing.work()
    send_mails()
    assert tables_with("quist", "Vestergade") == set()


def as_they_came(person):
    """Stripe's events of the deletion, with all that Stripe knew of the person, under new ids."""
    known = {"customer_email": f"{person.word}@example.com", "customer_name": f"Nora {person.word}"}
    for number, event in enumerate(person.in_flight):
        inside = {"customer": person.customer, **event["data"]["object"], **known}
        yield {**event, "id": f"evt_late_{number}", "data": {**event["data"], "object": inside}}


def test_a_mirrored_row_is_redacted_as_it_is_written(world, gone):
    """Stripe lists the ended subscriptions with all they bring along; nothing but the write itself redacts them."""
    answer = [
        {
            **world.stripe("GET", f"subscriptions/{gone.subscription}", expand=["latest_invoice"]),
            "customer": {
                "id": gone.customer,
                "object": "customer",
                "email": f"{gone.word}@example.com",
                "invoice_settings": {"default_payment_method": None},
                "metadata": {},
                "livemode": False,
                "created": 1,
                "preferred_locales": [],
            },
        }
    ]
    answer[0]["latest_invoice"]["customer_email"] = f"{gone.word}@example.com"
    with mock.patch("billing.stripe_client.fetch.subscriptions", return_value=answer):
        subscriptions.refresh(Customer.objects.get(pk=gone.customer))
    assert tables_with("quist") == set()


def test_an_invoice_that_arrives_days_later_leaves_nothing(world, gone):
    world.advance(days=5)
    world.deliver(list(as_they_came(gone)), work=False)
    testing.work()
    assert_nothing_is_left(world)


def test_a_replayed_event_leaves_nothing(world, gone):
    ledger.replay(gone.events)
    testing.work()
    assert_nothing_is_left(world)


def test_a_full_sync_after_the_deletion_leaves_nothing(world, gone):
    call_command("sync_stripe", "--full", verbosity=0)
    assert_nothing_is_left(world)


def test_a_drift_of_the_address_is_noted_without_it(world):
    person = subscribe_person(world, 1)
    world.deliver()
    Customer.objects.filter(pk=person.customer).update(email=f"old-{person.word}@example.com")
    call_command("sync_stripe", "--full", verbosity=0)
    [drift] = [drift for drift in SyncRun.objects.latest("pk").drifts if drift["field"] == "email"]
    assert (drift["ours"], drift["theirs"]) == ("o…@e…", "q…@e…")
    process.begin(person.user)
    testing.work()
    assert_nothing_is_left(world)


def test_a_refund_after_the_deletion_leaves_nothing(world, gone):
    world.stripe("POST", "refunds", charge=gone.charge)
    assert_nothing_is_left(world)


def test_a_dispute_after_the_deletion_leaves_nothing(world, gone):
    world.control("disputes", charge=gone.charge)
    assert_nothing_is_left(world)


@pytest.mark.parametrize("status", [EventType.BOUNCED, EventType.COMPLAINED])
def test_a_mail_that_comes_back_after_the_deletion_leaves_nothing(world, gone, status):
    last = Mail.objects.get(kind="account_deleted")
    told = AnymailTrackingEvent(
        event_type=status,
        metadata={"mail": last.key, "message": last.message_id},
        mta_response=f"550 <{gone.word}@example.com>: unknown",
        timestamp=timezone.now(),
    )
    tracking.on_tracking(None, told, "sendgrid")
    last.refresh_from_db()
    assert last.status in {"bounced", "complained"}
    assert not Suppression.objects.exists()
    assert_nothing_is_left(world)


def test_a_mail_that_bounces_before_its_stamp_keeps_the_address_no_longer(world):
    """The last mail is still being handed over when its provider reports."""
    person = subscribe_person(world, 1)
    world.deliver()
    send_mails()
    process.begin(person.user)
    testing.work()
    last = Mail.objects.get(kind="account_deleted")
    Mail.objects.filter(pk=last.pk).update(status="sending")
    told = AnymailTrackingEvent(
        event_type=EventType.BOUNCED,
        metadata={"mail": last.key, "message": last.message_id},
        mta_response=f"550 5.1.1 {person.word}@example.com unknown",
        timestamp=timezone.now(),
    )
    tracking.on_tracking(None, told, "sendgrid")
    assert_nothing_is_left(world)


def test_an_address_that_staff_had_lifted_is_gone_as_well(world):
    person = subscribe_person(world, 1)
    world.deliver()
    send_mails()
    mail = Mail.objects.filter(customer=person.customer, status="sent").first()
    told = AnymailTrackingEvent(
        event_type=EventType.BOUNCED,
        metadata={"mail": mail.key, "message": mail.message_id},
        timestamp=timezone.now() - timedelta(seconds=1),
    )
    tracking.on_tracking(None, told, "sendgrid")
    Suppression.objects.update(lifted_at=timezone.now())
    process.begin(person.user)
    testing.work()
    assert_nothing_is_left(world)


def test_an_earlier_address_that_is_not_mailed_is_gone_as_well(world):
    person, ben = subscribe_person(world, 1), subscribe_person(world, 2)
    world.deliver()
    send_mails()
    for who, address in [(person, f"before-{person.word}@example.com"), (ben, f"before-{ben.word}@example.com")]:
        mail = Mail.objects.filter(customer=who.customer, status="sent").first()
        Suppression.objects.create(address=address, reason="bounced", mail=mail, suppressed_at=timezone.now())
    process.begin(person.user)
    testing.work()
    world.deliver()
    send_mails()
    assert tables_with(person.word) == set()
    assert [row.address for row in Suppression.objects.all()] == [f"before-{ben.word}@example.com"]


def test_the_admins_log_of_an_address_that_staff_lifted_names_it_no_longer(world, admin_client):
    """The mail of it has no customer any more, so that the entry is about the address itself."""
    person = subscribe_person(world, 1)
    address = f"{person.word}@example.com"
    others = [f"an-{address}", f"an.{address}", f"{address}.au", f"{address}pany"]
    world.deliver()
    send_mails()
    for each in [address, *others]:
        Suppression.objects.create(address=each, reason="bounced", suppressed_at=timezone.now())
    chosen = {
        "action": "mail_again",
        "_selected_action": [address, *others],
        "reason": f"<{address.upper()}>",
    }
    admin_client.post("/admin/billing_mail/suppression/", chosen)
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {address, *others}
    process.begin(person.user)
    testing.work()
    entries = LogEntry.objects.all()
    assert {row.object_id for row in entries if row.object_id == row.object_repr} == {"(address of who left)", *others}
    assert {row.change_message for row in entries} == {"Mailed again: <(address of who left)>"}
    Suppression.objects.filter(pk__in=others).delete()
    entries.filter(object_id__in=others).delete()
    assert LogEntry.objects.get().object_id == "(address of who left)"
    assert_nothing_is_left(world)


def test_the_admins_log_of_a_token_never_says_what_its_owner_called_it(world, admin_client):
    person = subscribe_person(world, 1)
    tokens.issue(person.user, f"laptop of {person.word}")
    world.deliver()
    chosen = {"action": "revoke", "_selected_action": [str(person.user.api_tokens.get().pk)]}
    admin_client.post("/admin/accounts/apitoken/", chosen)
    assert LogEntry.objects.get().change_message == "Revoked"
    process.begin(person.user)
    testing.work()
    assert_nothing_is_left(world)


def test_a_mail_that_was_settled_as_its_reader_left_is_forgotten_by_the_next_sweep(world, gone):
    """Its worker saw nobody leave yet, and who left saw it not settled yet."""
    mail = Mail.objects.filter(customer=gone.customer, status="sent").first()
    Mail.objects.filter(pk=mail.pk).update(recipient=f"{gone.word}@example.com")
    outbox.sweep()
    assert_nothing_is_left(world)


def test_an_error_that_names_the_person_is_kept_by_its_class_alone(world, gone):
    """A host project's receiver raises it, before or after the event is redacted."""
    event = StripeEvent.objects.get(pk=gone.events[0])
    stamping.stamp_failed(event, ValueError(f"no shelf for {gone.word}@example.com"))
    event.refresh_from_db()
    assert (event.error_message, event.failures[-1]["error"]) == ("ValueError", "ValueError")
    StripeEvent.objects.filter(pk=event.pk).update(status="processed")
    late = next(as_they_came(gone))
    ledger.record(Event.of(late))
    StripeEvent.objects.filter(pk=late["id"]).update(
        error_message=f"KeyError: {gone.word}", failures=[{"at": "now", "error": f"KeyError: {gone.word}"}]
    )
    assert_nothing_is_left(world)


def test_who_stays_keeps_every_copy(world, gone):
    ben = subscribe_person(world, 2)
    world.deliver()
    kept = {table for table, _ in tables_with("quist2x@example.com")}
    assert kept >= {"accounts_user", "billing_customer", "djstripe_customer", "djstripe_invoice", "stripe_events"}
    assert ben.access.has_access

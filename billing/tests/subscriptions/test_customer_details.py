"""Stripe is told the details of a subscriber when they first buy and when the details change."""

import pytest
import stripe
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from billing import signals, testing
from billing.events import sweep
from billing.lanes import standing_writes
from billing.lifecycle import deletion, update_customer
from billing.lifecycle.customers import METADATA_KEY, customer_for
from billing.models import AccountDeletion, Alert, Customer, StripeWrite
from billing.setup import doctor
from billing.subscriptions import customer_details

pytestmark = pytest.mark.django_db

SEAT = {"line1": "Storgata 1", "city": "Oslo", "postal_code": "0155", "country": "NO"}
DETAILS: dict = {}


def described(subscriber):
    """BILLING_CUSTOMER_DETAILS of these tests."""
    return dict(DETAILS)


@pytest.fixture(autouse=True)
def _described(settings):
    DETAILS.clear()
    DETAILS.update(email="bills@acme.example", name="Acme AS", address=SEAT, phone="", metadata={"team": "7"})
    settings.BILLING_CUSTOMER_DETAILS = "billing.tests.subscriptions.test_customer_details.described"


@pytest.fixture
def ada(world):
    return world.subscribed()


def at_stripe(world, customer):
    return world.stripe("GET", f"customers/{customer}")


def when_it_is_time():
    StripeWrite.objects.filter(done_at=None).update(next_attempt_at=timezone.now())
    sweep.sweep()
    testing.work()


def test_a_customer_is_made_with_them_and_led_back_to_the_subscriber(world, ada):
    made = at_stripe(world, ada.customer)
    assert (made["email"], made["name"], made["address"]["city"]) == ("bills@acme.example", "Acme AS", "Oslo")
    assert made["metadata"] == {"team": "7", METADATA_KEY: str(ada.user.pk)}
    assert Customer.objects.get().email == "bills@acme.example"


def test_a_customer_left_behind_by_a_crash_is_found_by_the_address_stripe_was_told(world):
    user = world.sign_up()
    made = customer_for(user).pk
    Customer.objects.all().delete()
    assert customer_for(user).pk == made


def test_without_the_setting_it_is_the_subscribers_own_address(world, settings):
    del settings.BILLING_CUSTOMER_DETAILS
    assert at_stripe(world, world.subscribed().customer)["email"] == "ada@example.com"


def test_a_change_is_told_by_the_worker_and_what_is_empty_is_cleared(world, ada):
    DETAILS.update(name="Acme Group AS", email="new@acme.example", address=None)
    customer_details.changed(ada.user)
    assert at_stripe(world, ada.customer)["name"] == "Acme AS"
    testing.work()
    now = at_stripe(world, ada.customer)
    assert (now["name"], now["address"], now["metadata"]["team"]) == ("Acme Group AS", None, "7")
    world.deliver()
    assert Customer.objects.get().email == "new@acme.example"


def test_an_outage_leaves_it_owed(world, ada):
    DETAILS.update(name="Acme Group AS")
    customer_details.changed(ada.user)
    with world.writes_failing():
        testing.work()
    when_it_is_time()
    assert at_stripe(world, ada.customer)["name"] == "Acme Group AS"
    assert not StripeWrite.objects.filter(done_at=None).exists()


def test_what_stripe_does_not_take_is_told_to_staff(world, ada):
    DETAILS["favourite_colour"] = "blue"
    customer_details.changed(ada.user)
    testing.work()
    assert "favourite_colour" in StripeWrite.objects.get(done_at=None).error_message


def test_of_who_has_left_nothing_is_told_any_more(world, ada):
    customer_details.changed(ada.user)
    deletion.begin(ada.user)
    testing.work()
    assert at_stripe(world, ada.customer)["deleted"]
    assert not StripeWrite.objects.filter(done_at=None).exists()


def test_who_never_bought_anything_is_told_of_when_they_do(world):
    customer_details.changed(world.sign_up())
    assert not StripeWrite.objects.exists()


def unready(**_):
    raise LookupError("our own rows are not removed yet")


def test_who_is_being_removed_is_not_described_again(world, ada, settings):
    settings.BILLING_DELETE_CUSTOMER = False
    deletion.begin(ada.user)
    signals.account_closed.connect(unready)
    try:
        testing.work()
    finally:
        signals.account_closed.disconnect(unready)
    assert not at_stripe(world, ada.customer)["name"]
    customer_details.changed(ada.user)
    when_it_is_time()
    assert not at_stripe(world, ada.customer)["name"]
    assert not StripeWrite.objects.filter(done_at=None).exists()


def test_where_there_is_nothing_to_tell_or_nobody_to_tell_of_stripe_is_not_asked(world, ada):
    row = StripeWrite(pk=1, lane=ada.customer, object_id=ada.customer, requested_at=timezone.now())
    before = world.calls()["total"]
    DETAILS.clear()
    update_customer.write_details([row])
    DETAILS["name"] = "Acme Group AS"
    AccountDeletion.objects.create(subscriber=ada.user, customer_id=ada.customer, lane=ada.customer,
                                   requested_at=timezone.now())  # fmt: skip
    update_customer.write_details([row])
    assert world.calls()["total"] == before
    AccountDeletion.objects.all().delete()
    update_customer.write_details([row])
    assert at_stripe(world, ada.customer)["name"] == "Acme Group AS"


def test_a_customer_whom_stripe_no_longer_has_is_owed_nothing(world, ada, monkeypatch):
    """Another refusal is told to staff: see above."""
    customer_details.changed(ada.user)

    def gone(path, **params):
        raise stripe.InvalidRequestError("no such customer", "id", code="resource_missing")

    monkeypatch.setattr("billing.stripe_client.post", gone)
    testing.work()
    assert not StripeWrite.objects.filter(done_at=None).exists()


@pytest.mark.parametrize(("email", "told"), [("ada@example.com", "ada@example.com"), ("", ""), (None, "")])
def test_the_address_of_bills_is_what_the_details_say_and_none_for_nobody(settings, email, told):
    DETAILS["email"] = email
    user = get_user_model()(email="own@example.com")
    assert (customer_details.email_of(user), customer_details.email_of(None)) == (told, "")
    DETAILS.pop("email")
    assert customer_details.email_of(user) == ""
    settings.BILLING_CUSTOMER_DETAILS = ""
    user.email = email
    assert customer_details.email_of(user) == told
    assert customer_details.details_of(object()) == {"email": ""}


# What Stripe refuses


def refused():
    return StripeWrite.objects.filter(refused_at__isnull=False)


def test_tax_ids_are_given_at_creation_and_no_later_update_fails_over_them(world):
    DETAILS["tax_id_data"] = [{"type": "eu_vat", "value": "DE123456789"}]
    ada = world.subscribed()
    DETAILS.update(name="Acme Group AS")
    customer_details.changed(ada.user)
    testing.work()
    assert at_stripe(world, ada.customer)["name"] == "Acme Group AS"
    assert not StripeWrite.objects.filter(done_at=None).exists()
    assert tax_ids(world, ada) == ["DE123456789"]


def tax_ids(world, person):
    return sorted(row["value"] for row in world.stripe("GET", f"customers/{person.customer}/tax_ids")["data"])


def test_a_tax_id_that_changes_replaces_the_one_of_its_kind_and_leaves_others(world, ada):
    world.stripe("POST", f"customers/{ada.customer}/tax_ids", type="us_ein", value="12-3456789")
    for value in ("DE123456789", "DE987654321"):
        DETAILS["tax_id_data"] = [{"type": "eu_vat", "value": value}]
        customer_details.changed(ada.user)
        testing.work()
    assert tax_ids(world, ada) == ["12-3456789", "DE987654321"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "value"), [("phone", "1" * 21), ("name", "N" * 257), ("email", "nobody"), ("tax_id_data", "DE")]
)
def test_a_detail_that_stripe_refuses_is_given_up_and_told_and_holds_up_no_other(world, ada, name, value):
    DETAILS.update(description="new")
    DETAILS[name] = [{"type": "eu_vat", "value": value}] if name == "tax_id_data" else value
    customer_details.changed(ada.user)
    testing.work()
    assert at_stripe(world, ada.customer)["description"] == "new"
    assert refused().get().error_message.startswith(f"{name}: ")
    assert Alert.objects.get(pk="request_refused")
    assert [finding.level for finding in doctor.examine() if finding.name == "requests"] == ["error"]
    when_it_is_time()
    assert refused().get().attempts == 1, "it is not tried for ever"


@pytest.mark.parametrize(("name", "value"), [("phone", "1" * 21), ("email", "nobody"), ("favourite_colour", "blue")])
def test_nobody_is_kept_from_buying_over_a_detail_that_stripe_refuses(world, name, value):
    DETAILS[name] = value
    ada = world.subscribed()
    assert refused().get().error_message.startswith(f"{name}: ")
    DETAILS[name] = "a@b.example" if name == "email" else ""
    DETAILS.pop("favourite_colour", None)
    customer_details.changed(ada.user)
    testing.work()
    assert not refused().exists(), "what was refused is settled by what was taken later"


def test_staff_have_it_tried_again_by_a_button(world, ada, admin_client):
    DETAILS["phone"] = "1" * 21
    customer_details.changed(ada.user)
    testing.work()
    page = reverse("admin:billing_stripewrite_changelist")
    assert "refused" in admin_client.get(page).content.decode()
    DETAILS["phone"] = "12345"
    admin_client.post(page, {"action": "try_now", "_selected_action": [refused().get().pk]})
    testing.work()
    assert at_stripe(world, ada.customer)["phone"] == "12345"
    assert not refused().exists()


def test_a_request_that_was_withdrawn_is_not_made_by_that_button(world, ada):
    customer_details.changed(ada.user)
    StripeWrite.objects.update(withdrawn_at=timezone.now())
    assert not standing_writes.try_again(StripeWrite.objects.get())


def test_metadata_that_stripe_refuses_leave_the_way_back_to_the_subscriber(world):
    DETAILS["metadata"] = {"k" * 41: "too long a key"}
    ada = world.subscribed()
    assert at_stripe(world, ada.customer)["metadata"] == {METADATA_KEY: str(ada.user.pk)}
    assert refused().get().error_message.startswith("metadata: ")

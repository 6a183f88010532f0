"""dj-stripe's rows: the same whether we write them together or leave them to dj-stripe one by one."""

import pytest
from django.db import DataError, OperationalError
from djstripe import models as djstripe

from billing import stripe_client
from billing.models import Price
from billing.stripe_client import StripeUnavailable, fetch
from billing.subscriptions import mirror

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.first_sale]

TABLES = (djstripe.Customer, djstripe.PaymentMethod, djstripe.Subscription, djstripe.SubscriptionItem)
OF_INVOICES = (djstripe.Invoice, djstripe.LineItem)
OWN = {"djstripe_id", "djstripe_created", "djstripe_updated"}


def rows(tables=TABLES):
    found = {table: list(table.objects.order_by("id").values()) for table in tables}
    return {t: [{k: v for k, v in row.items() if k not in OWN} for row in kept] for t, kept in found.items()}


def mirrored(person):
    with stripe_client.drain_reads():
        mirror.write_subscriptions(fetch.subscriptions(person.customer))
    return rows()


@pytest.fixture
def left_to_djstripe(monkeypatch):
    """A switch: from its turning on, nothing is plain enough to be written together."""

    def turn_on():
        for write in ("write_subscriptions", "write_invoice"):
            monkeypatch.setattr(mirror.mirror_plain, write, lambda found: False)

    return turn_on


def test_what_is_written_together_is_what_djstripe_writes(world, left_to_djstripe):
    ada = world.subscribed()
    for table in reversed(TABLES):
        table.objects.all().delete()
    together = mirrored(ada)
    for table in reversed(TABLES):
        table.objects.all().delete()
    left_to_djstripe()
    assert together == mirrored(ada)
    assert all(together.values())


def test_what_changed_is_written_over_and_a_link_by_hand_stays(world, left_to_djstripe, django_user_model):
    ada = world.subscribed()
    user = django_user_model.objects.first()
    djstripe.Customer.objects.update(subscriber=user)
    world.stripe("POST", f"customers/{ada.customer}", email="ada@new.example")
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    together = mirrored(ada)
    assert together[djstripe.Customer][0]["subscriber_id"] == user.pk
    assert together[djstripe.Customer][0]["email"] == "ada@new.example"
    left_to_djstripe()
    assert together == mirrored(ada)


def mirrored_invoices(person):
    with stripe_client.drain_reads():
        for listed in stripe_client.get("/v1/invoices", customer=person.customer, limit=100)["data"]:
            mirror.write_object(fetch.invoice(listed["id"], person.customer))
    return rows(OF_INVOICES)


def renews(world, person):
    world.advance(days=33)


def pays_an_upgrade(world, person):
    world.advance(days=9)
    held = world.stripe("GET", f"subscriptions/{person.subscription}")["items"]["data"][0]
    item = {"id": held["id"], "price": Price.objects.get(lookup_key="team_month").pk}
    charged_now = {"proration_behavior": "always_invoice"}
    world.stripe("POST", f"subscriptions/{person.subscription}", items=[item], **charged_now)


def buys_something_beside(world, person):
    item = {"customer": person.customer, "amount": 700, "currency": "usd"}
    world.stripe("POST", "invoiceitems", **item)
    world.advance(days=33)


@pytest.mark.parametrize("happens", [renews, pays_an_upgrade, buys_something_beside])
def test_an_invoice_is_written_as_djstripe_writes_it(world, left_to_djstripe, happens):
    ada = world.subscribed()
    world.subscribed(email="charlie@example.com")
    happens(world, ada)
    world.deliver()
    for table in reversed(OF_INVOICES):
        table.objects.all().delete()
    together = mirrored_invoices(ada)
    for table in reversed(OF_INVOICES):
        table.objects.all().delete()
    left_to_djstripe()
    assert together == mirrored_invoices(ada)
    assert len(together[djstripe.Invoice]) >= 2
    assert len(together[djstripe.LineItem]) >= 2


def test_a_price_never_seen_before_is_left_to_djstripe(world):
    ada = world.subscribed()
    djstripe.Product.objects.all().delete()
    assert not djstripe.Price.objects.exists()
    mirrored(ada)
    assert djstripe.SubscriptionItem.objects.get().price.product is not None


def raising(error):
    def fail(*args, **kwargs):
        raise error

    return fail


CARD = {"id": "pm_1", "object": "payment_method"}


@pytest.mark.parametrize("error", [OperationalError("connection lost"), StripeUnavailable("down")])
def test_what_another_try_may_mend_is_raised_and_not_taken_for_a_row_of_an_odd_shape(world, monkeypatch, error):
    monkeypatch.setattr(djstripe.PaymentMethod, "sync_from_stripe_data", raising(error))
    with pytest.raises(type(error)), stripe_client.drain_reads():
        mirror.write_object(CARD)


@pytest.mark.parametrize("obj", [None, "pm_1", {**CARD, "deleted": True}])
def test_what_is_no_object_or_is_gone_at_stripe_is_not_mirrored(world, monkeypatch, caplog, obj):
    monkeypatch.setattr(djstripe.PaymentMethod, "sync_from_stripe_data", raising(ValueError("an odd shape")))
    with stripe_client.drain_reads():
        mirror.write_object(obj)
        assert caplog.messages == []
        mirror.write_object(CARD)
    assert caplog.messages == ["not mirrored"]


@pytest.mark.parametrize(
    "write", [mirrored, lambda ada: mirror.write_events([payload()])], ids=["subscriptions", "events"]
)
def test_a_connection_that_is_lost_while_rows_are_written_together_is_raised(world, monkeypatch, write):
    ada = world.subscribed()
    lost = raising(OperationalError("connection lost"))
    monkeypatch.setattr(mirror.mirror_plain, "write_subscriptions", lost)
    monkeypatch.setattr(mirror, "_event", lost)
    monkeypatch.setattr(mirror.mirror_plain, "owner_account", lambda: "acct_1")
    with pytest.raises(OperationalError):
        write(ada)


def test_what_cannot_be_written_together_is_written_one_by_one(world, monkeypatch):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    before = rows()
    for table in reversed(TABLES):
        table.objects.filter(djstripe_id__in=theirs(table, ada)).delete()
    monkeypatch.setattr(mirror.mirror_plain, "write_subscriptions", raising(DataError("value too long")))
    assert mirrored(ada) == before
    assert all(len(kept) == 2 for kept in before.values()), ben


def theirs(table, person):
    """The keys of one person's rows."""
    return [row.pk for row in table.objects.all() if person.customer in str(row.stripe_data)
            or person.subscription in str(row.stripe_data)]  # fmt: skip


def payload(**changes):
    usual = {"id": "evt_1", "type": "customer.updated", "livemode": False, "created": 1, "api_version": None}
    return {**usual, "data": {"object": {}}, "request": None, **changes}


def test_events_that_djstripe_has_are_not_written_again_and_others_are_by_what_they_say(world):
    world.subscribed()
    known = djstripe.Event.objects.first()
    asked = payload(id="evt_2", request={"id": "req_2", "idempotency_key": "key_2"}, api_version="2026-01-01")
    found = mirror.write_events(
        [payload(id=known.id, type="changed"), payload(), asked, payload(id="evt_3", request="req_3"),
         payload(id="evt_4", account="acct_named")]
    )  # fmt: skip
    assert set(found) == {known.id, "evt_1", "evt_2", "evt_3", "evt_4"}
    assert djstripe.Event.objects.get(id=known.id).type == known.type
    told = djstripe.Event.objects.filter(id__startswith="evt_", id__in=["evt_1", "evt_2", "evt_3"]).order_by("id")
    assert list(told.values_list("request_id", "idempotency_key", "api_version")) == [
        ("", "", ""), ("req_2", "key_2", "2026-01-01"), ("req_3", "", ""),
    ]  # fmt: skip


def test_while_the_account_of_the_key_is_not_known_no_event_is_written_ahead(world):
    world.subscribed()
    djstripe.APIKey.objects.all().delete()
    assert mirror.write_events([payload()]) == {}


def kept(model, object_id):
    return model.objects.get(id=object_id).stripe_data


def test_what_moves_money_is_mirrored_as_it_is_now(world):
    """Each row is asked for its newest state, which an earlier event cannot have brought."""
    ada = world.subscribed()
    charge = world.charge_of(ada)["id"]
    assert kept(djstripe.Invoice, ada.last_payment.invoice_id)["status"] == "paid"
    refund = world.stripe("POST", "refunds", charge=charge, amount=500)["id"]
    world.deliver()
    assert kept(djstripe.Charge, charge)["amount_refunded"] == 500
    assert kept(djstripe.Refund, refund)["status"] == "succeeded"
    dispute = world.control("disputes", charge=charge)["id"]
    world.deliver()
    assert kept(djstripe.Charge, charge)["disputed"] is True
    world.control(f"disputes/{dispute}", status="won")
    world.deliver()
    assert kept(djstripe.Dispute, dispute)["status"] == "won"


def test_an_invoice_that_was_not_paid_is_mirrored_with_each_try(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    invoice = world.open_invoice(ada)
    assert (kept(djstripe.Invoice, invoice)["status"], kept(djstripe.Invoice, invoice)["attempt_count"]) == ("open", 1)
    world.pay(ada)
    world.deliver()
    assert kept(djstripe.Invoice, invoice)["status"] == "paid"

"""Each table about a person says what a deletion leaves of it: no table is forgotten, and what is cleared is empty."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import ApiToken, LoginSession
from billing import models as ours
from billing import testing
from billing.lifecycle import own_data
from billing.lifecycle.deletion import process
from billing.tests.admin.rows import row_of_each
from notifications.models import Mail, Suppression

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

WORD = "quist@example.com"
APPS = ("billing", "billing_mail", "accounts")
MONEY = "the ledger: amounts, days and ids of Stripe's"
STATE = "what was bought and when, without a person once the customer is unlinked"
USE = "counts by feature, of an account without a name"
# What a deletion clears of a table; () where the rows themselves go.
CLEARED: dict[Any, tuple[str, ...]] = {
    ours.Customer: ("email",),
    ours.Hold: ("reason",),
    ours.Grant: ("reason",),
    ours.Credit: ("reason",),
    ours.LimitOverride: ("reason",),
    ours.Agreement: ("po_number", "memo", "error_message"),
    ours.CheckoutAttempt: ("params",),
    ours.StripeWrite: ("error_message",),
    ours.PriceMoveRow: ("reason",),
    ours.Purchase: ("guest_email",),
    ours.UsageReport: ("error_message",),
    ours.AccountDeletion: ("error_message",),
    ours.Invoice: ("description",),
    ours.TaxId: (),
    ours.KeyedUse: (),
    ApiToken: (),
    LoginSession: (),
}
# What stays of a table as it is, and why.
KEPT: dict[Any, str] = {
    ours.Subscription: STATE,
    ours.SubscriptionItem: STATE,
    ours.SubscriptionChange: STATE,
    ours.AnnouncedAccess: STATE,
    ours.PlanChange: STATE,
    ours.Discount: STATE,
    ours.CancelOffer: STATE,
    ours.NextCharge: STATE,
    ours.Redemption: "that a code was used, so that it stays used",
    ours.Trial: "digests, so that a person has one trial",
    ours.MrrMovement: MONEY,
    ours.Payment: MONEY,
    ours.PaymentFailure: MONEY,
    ours.InvoicePayment: MONEY,
    ours.CreditNote: MONEY,
    ours.Refund: MONEY,
    ours.Dispute: MONEY,
    ours.BalanceTransaction: MONEY,
    ours.Usage: USE,
    ours.SpendCap: "an amount, of an account without a name",
    Mail: "redacted by notifications (test_nothing_left)",
}

FOLLOWS = "it follows from rows that are in the export"
WORK = "what our machinery has to do or has done, without a fact about the person"
# What the export of a person's own data leaves out, and why.
NOT_EXPORTED: dict[Any, str] = {
    ours.AnnouncedAccess: FOLLOWS,
    ours.BalanceTransaction: FOLLOWS,
    ours.InvoicePayment: FOLLOWS,
    ours.MrrMovement: FOLLOWS,
    ours.NextCharge: FOLLOWS,
    ours.SubscriptionItem: FOLLOWS,
    ours.UsageReport: FOLLOWS,
    ours.AccountDeletion: WORK,
    ours.CheckoutAttempt: WORK,
    ours.KeyedUse: WORK,
    ours.PriceMoveRow: WORK,
    ours.StripeEvent: WORK,
    ours.StripeWrite: WORK,
    Suppression: "an address that refuses mail, of no account",
}
# What another app adds to it: the account's page, and `own_data.add`.
ADDED = {ApiToken, LoginSession, Mail}


def about_a_person():
    """Return the tables that lead to a subscriber or a customer, by however many keys, or by a customer's id."""
    found = {get_user_model(), ours.Customer}
    models = [model for app in APPS for model in apps.get_app_config(app).get_models() if not model._meta.proxy]
    while True:
        more = {model for model in models if model not in found and _leads_to(model, found)}
        if not more:
            return {model for model in found if model._meta.managed} - {get_user_model()}
        found |= more


def _leads_to(model, found):
    keys = [field for field in model._meta.concrete_fields if field.is_relation]
    names = {field.name for field in model._meta.concrete_fields}
    return any(key.related_model in found for key in keys) or bool(names & {"customer_id", "lane"} - {"key"})


def test_every_table_about_a_person_says_what_a_deletion_leaves_of_it():
    told = set(CLEARED) | set(KEPT)
    forgotten = {model.__name__ for model in about_a_person() - told} - {"StripeEvent", "Suppression"}
    assert forgotten == set()


def test_every_table_about_a_person_is_exported_or_left_out_for_a_reason():
    exported = {ours.Customer, *own_data.OF_CUSTOMER.values(), *own_data.OF_SUBSCRIBER.values()}
    assert about_a_person() - exported - ADDED == set(NOT_EXPORTED)


def test_no_name_of_staff_and_no_digest_is_exported(world):
    ada = world.subscribed()
    ours.SubscriptionChange.objects.update(cause="staff:grace")
    found = own_data.own_data(ada.user)
    assert found["subscription_changes"]
    assert "grace" not in str(found)
    assert "digest" not in str(found)


def test_a_deletion_clears_what_is_said_to_be_cleared_and_nothing_of_a_bystander(world):
    ben = world.subscribed(email="ben@example.com")
    for model in (ours.Pack, ours.AddOnPrice, ours.AddOn):
        model.objects.all().delete()
    ours.Plan.objects.filter(slug="pro").update(slug="other")
    ours.Price.objects.filter(lookup_key="pro_month").update(lookup_key="other_month")
    rows = row_of_each(email=WORD)
    rows[ours.AccountDeletion].delete()
    rows[ours.StripeEvent].delete()  # test_nothing_left tells of events
    alice = rows[ours.Customer].subscriber
    alice.api_tokens.create(digest="d", password_digest="p", prefix="12345678", name=WORD)
    for model, fields in CLEARED.items():
        if model in rows and model is not ours.AccountDeletion:
            values = {name: {"note": WORD} if name == "params" else WORD for name in fields}
            model._default_manager.filter(pk=rows[model].pk).update(**values) if values else None
    ours.Customer.objects.filter(pk=rows[ours.Customer].pk).update(deleted_at=timezone.now())
    process.begin(alice)
    testing.work()
    assert process.deletion_of(alice) is None or process.deletion_of(alice).is_done
    assert ours.AccountDeletion.objects.get(lane=rows[ours.Customer].pk).is_done
    for model, fields in CLEARED.items():
        left = [row for row in model._default_manager.values(*fields or ("pk",)) if WORD in str(row)]
        assert left == [], model
    assert not ours.TaxId.objects.exists()
    assert not ours.KeyedUse.objects.exists()
    assert ben.access.has_access

"""Payments, failed ones, refunds, disputes and usage, read at a glance."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.admin import payment_words
from billing.models import Customer, Dispute, Hold, Payment, PaymentFailure, Refund, Usage

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _by_the_wall_clock(settings):
    settings.BILLING_CLOCK = ""


@pytest.fixture
def alice(django_user_model):
    payer = django_user_model.objects.create_user(email="alice@example.com", password=None)
    return Customer.objects.create(id="cus_alice", subscriber=payer, email="alice@example.com")


def told(client, row, name="changelist"):
    model = row._meta.model_name
    args = [row.pk] if name == "change" else []
    return client.get(reverse(f"admin:billing_{model}_{name}", args=args)).content.decode()


def disputed(customer, **facts):
    known = {"id": "dp_1", "amount": 2000, "currency": "usd", "status": "needs_response", "opened_at": timezone.now()}
    return Dispute.objects.create(customer=customer, **{**known, **facts})


def failed(customer, number=1, **facts):
    known = {"invoice_id": f"in_{number}", "attempt": 1, "amount": 2000, "currency": "usd", "failed_at": timezone.now()}
    return PaymentFailure.objects.create(customer=customer, **{**known, **facts})


@pytest.mark.parametrize(
    ("facts", "words", "kind"),
    [
        ({"evidence_due_at": timezone.now() + 9 * DAY}, "evidence due", "waiting"),
        ({"evidence_due_at": timezone.now() + 1 * DAY}, "evidence due", "bad"),
        ({"evidence_due_at": timezone.now() - 1 * DAY}, "evidence was due", "dead"),
    ],
)
def test_a_dispute_says_until_when_it_can_be_answered(admin_client, alice, facts, words, kind):
    page = told(admin_client, disputed(alice, **facts))
    assert f'billing-badge-{kind}" title="">{words}' in page


def test_one_that_was_answered_or_is_closed_asks_for_nothing(admin_client, alice):
    for status in ("under_review", "won", "lost", "warning_closed"):
        Dispute.objects.all().delete()
        assert "evidence" not in told(
            admin_client, disputed(alice, status=status, evidence_due_at=timezone.now() + DAY)
        )


@pytest.mark.django_db(transaction=True)
def test_when_the_answer_is_due_is_known_from_stripe(world):
    ada = world.subscribed()
    made = world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    due = world.stripe("GET", f"disputes/{made['id']}")["evidence_details"]["due_by"]
    assert Dispute.objects.get().evidence_due_at.timestamp() == due


@pytest.mark.parametrize(
    ("sentences", "statuses"),
    [(payment_words.DISPUTE_SENTENCES, Dispute.KNOWN), (payment_words.REFUND_SENTENCES, Refund.KNOWN)],
)
def test_each_state_that_we_know_has_its_sentence(sentences, statuses):
    assert sentences.keys() == statuses


def test_a_disputes_page_says_that_its_state_is_unknown(admin_client, alice):
    assert "does not know the status" in told(admin_client, disputed(alice, status="mediation_started"), "change")


def test_a_disputes_page_says_what_its_state_means(admin_client, alice):
    assert "Access is on hold until then." in told(admin_client, disputed(alice), "change")
    Dispute.objects.all().delete()
    inquiry = told(admin_client, disputed(alice, status="warning_needs_response"), "change")
    assert "no money moved, and access continues" in inquiry
    assert "warning" not in inquiry


def test_a_failed_payment_says_what_came_of_it(admin_client, alice):
    failure = failed(alice, next_attempt_at=timezone.now() + DAY)
    assert "will be tried again" in told(admin_client, failure)
    PaymentFailure.objects.update(next_attempt_at=None)
    assert "no attempt scheduled" in told(admin_client, failure)
    now = timezone.now()
    Payment.objects.create(
        customer=alice, invoice_id="in_1", amount=2000, currency="usd", invoiced_at=now, paid_at=now, billing_reason="x"
    )
    for name in ("changelist", "change"):
        assert "paid since" in told(admin_client, failure, name)


def test_amounts_go_by_the_currencys_own_decimals_and_lead_to_who_and_to_stripe(admin_client, alice):
    known = {"customer": alice, "status": "failed", "created_at": timezone.now()}
    for number, (amount, currency) in enumerate([(500, "jpy"), (1234567, "kwd"), (1999, "eur")]):
        refund = Refund.objects.create(id=f"re_{number}", amount=amount, currency=currency, **known)
    page = told(admin_client, refund)
    for words in (
        "¥500",
        "1,234.567",
        "€19.99",
        "alice@",
        "/admin/billing/customer/cus_5Falice/change/",
        "search?query=re_0",
    ):
        assert words in page
    assert "Return it another way" in told(admin_client, refund, "change")


def test_usage_says_who_went_above_the_limit_and_leads_to_them(admin_client, alice):
    used = {"feature": "generations", "period_start": timezone.now(), "used": 12345, "has_announced_overflow": True}
    page = told(admin_client, Usage.objects.create(subscriber=alice.subscriber, **used))
    for words in ("12,345", "above the limit", "/admin/billing/customer/cus_5Falice/change/"):
        assert words in page


@pytest.mark.parametrize("make", [failed, lambda customer, number: disputed(customer, id=f"dp_{number}")])
def test_a_list_costs_the_same_queries_however_long(admin_client, alice, make):
    costs = []
    for numbers in (range(1), range(1, 40)):
        for number in numbers:
            row = make(alice, number)
        with CaptureQueriesContext(connection) as queries:
            told(admin_client, row)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_holds_are_narrowed_to_those_in_force(admin_client, alice):
    now = timezone.now()
    for reference, released_at in (("dp_1", None), ("dp_2", now)):
        hold = {"reference": reference, "placed_at": now, "released_at": released_at}
        Hold.objects.create(customer=alice, kind="dispute", **hold)
    answer = admin_client.get("/admin/billing/hold/", {"released_at__isempty": "1"})
    assert [row.reference for row in answer.context["cl"].result_list] == ["dp_1"]
    assert "In force" in answer.content.decode()

"""Preview, change, cancel, resume, portal and invoices by API: states, codes, and nothing of anybody else's."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from billing import lanes
from billing.models import CheckoutAttempt, Customer, Lane, Price

pytestmark = pytest.mark.django_db

API = "/api/v1/subscriptions"
TEAM = {"plan": "team", "interval": "month"}
ACTS = [
    ("post", "preview", TEAM),
    ("post", "change", TEAM),
    ("delete", "change", None),
    ("post", "cancel", {"when": "now"}),
    ("post", "resume", None),
    ("post", "portal", None),
]


def signed_in(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


def code(answer):
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def ada(world):
    world.control("portal")
    return world.subscribed()


@pytest.fixture
def client(ada):
    return signed_in(ada.user)


@pytest.mark.parametrize(("method", "path", "body"), [*ACTS, ("get", "invoices", None)])
def test_without_signing_in_nothing_is_done(method, path, body):
    assert code(getattr(APIClient(), method)(f"{API}/{path}", body)) == (401, "not_authenticated")


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_a_stranger_reaches_nothing_of_mine(world, ada, method, path, body):
    before = world.stripe("GET", f"subscriptions/{ada.subscription}")
    charlie = signed_in(world.sign_up("charlie@example.com"))
    assert code(getattr(charlie, method)(f"{API}/{path}", body)) == (409, "no_subscription")
    assert world.stripe("GET", f"subscriptions/{ada.subscription}") == before


def test_a_stranger_sees_no_invoice_of_mine_by_its_id_either(world, ada):
    mine = signed_in(ada.user).get(f"{API}/invoices").json()["invoices"][0]["id"]
    ben = world.subscribed(email="ben@example.com")
    charlie = signed_in(world.sign_up("charlie@example.com"))
    assert charlie.get(f"{API}/invoices").json() == {"invoices": [], "next": None}
    assert charlie.get(f"{API}/invoices?after={mine}").json()["invoices"] == []
    links = str(signed_in(ben.user).get(f"{API}/invoices?after={mine}").json())
    assert mine not in links


def test_a_stranger_is_not_let_in_by_my_session_id(world, ada):
    client = Client()
    client.force_login(world.sign_up("charlie@example.com"))
    session = CheckoutAttempt.objects.get().session_id
    assert client.get(f"/billing/return?session_id={session}").status_code == 404


def test_preview_then_change(client):
    shown = client.post(f"{API}/preview", TEAM).json()
    assert (shown["plan"], shown["effect"], shown["currency"]) == ("team", "now", "usd")
    assert shown["amount_due"] == {"amount": 4000, "formatted": "$40.00"}
    assert sum(line["amount"] for line in shown["lines"]) == 4000
    state = client.post(f"{API}/change", {**TEAM, "proration_date": shown["proration_date"]}).json()
    assert (state["plan"], state["pending_change"]) == ("team", None)


def test_a_scheduled_change_shows_in_the_state_and_is_taken_back(client):
    client.post(f"{API}/change", TEAM)
    state = client.post(f"{API}/change", {"plan": "pro", "interval": "month"}).json()
    pending = state["pending_change"]
    assert (pending["kind"], pending["plan"], pending["interval"]) == ("scheduled", "pro", "month")
    assert pending["effective_at"] == state["current_period_end"]
    assert client.delete(f"{API}/change").json()["pending_change"] is None
    assert code(client.delete(f"{API}/change")) == (409, "no_pending_change")


def test_a_payment_to_confirm_is_answered_with_its_page(world, ada, client):
    world.change_card(ada, "pm_card_authenticationRequired")
    state = client.post(f"{API}/change", TEAM).json()
    assert (state["plan"], state["pending_change"]["kind"]) == ("pro", "pending_update")
    assert state["pending_change"]["confirm_url"].startswith("http")


def test_a_declined_card_is_402(world, ada, client):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    assert code(client.post(f"{API}/change", TEAM)) == (402, "payment_declined")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("change", {"plan": "pro", "interval": "month"}, (409, "same_plan")),
        ("change", {**TEAM, "proration_date": 1}, (409, "stale_preview")),
        ("change", {**TEAM, "proration_date": "soon"}, (400, "invalid_request")),
        ("preview", {"plan": "gold", "interval": "month"}, (400, "price_not_offered")),
        ("cancel", {"when": "tomorrow"}, (400, "invalid_request")),
        ("cancel", {}, (400, "invalid_request")),
        ("resume", None, (409, "not_cancelling")),
    ],
)
def test_what_cannot_be_done_has_its_code(client, path, body, expected):
    assert code(client.post(f"{API}/{path}", body)) == expected


def test_cancel_and_resume(client):
    ending = client.post(f"{API}/cancel", {"when": "period_end"}).json()
    assert ending["cancel_at"] == ending["current_period_end"]
    assert code(client.post(f"{API}/change", TEAM)) == (409, "cancellation_scheduled")
    assert client.post(f"{API}/resume").json()["cancel_at"] is None


def test_the_portal_is_opened_anew_each_time(client):
    one, other = (client.post(f"{API}/portal").json()["url"] for _ in range(2))
    assert one != other


def test_invoices_come_newest_first_by_pages_with_links(client):
    client.post(f"{API}/change", TEAM)
    first = client.get(f"{API}/invoices?limit=1").json()
    second = client.get(f"{API}/invoices?limit=1&after={first['next']}").json()
    assert [page["invoices"][0]["total"]["amount"] for page in (first, second)] == [4000, 2000]
    assert second["next"] is None
    assert first["invoices"][0]["invoice_pdf"].startswith("http")


@pytest.mark.parametrize(
    ("query", "expected"),
    [("after=in_none", "unknown_cursor"), ("after=in/../x", "invalid_request"), ("limit=101", "invalid_request")],
)
def test_a_wrong_page_is_refused(client, query, expected):
    assert code(client.get(f"{API}/invoices?{query}")) == (400, expected)


@pytest.mark.parametrize(("method", "path", "body"), [*ACTS, ("get", "invoices", None)])
def test_an_outage_is_said(world, client, method, path, body):
    world.control("faults", api={"fail_next": 20, "status": 500})
    answer = getattr(client, method)(f"{API}/{path}", body)
    assert code(answer) == (503, "stripe_unavailable")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "first"),
    [
        ("post", "change", TEAM, None),
        (
            "delete",
            "change",
            None,
            ("change", {"plan": "pro", "interval": "year"}, {"plan": "pro", "interval": "month"}),
        ),
        ("post", "cancel", {"when": "now"}, None),
        ("post", "cancel", {"when": "period_end"}, None),
        ("post", "resume", None, ("cancel", {"when": "period_end"})),
    ],
)
def test_what_was_done_and_not_answered_is_called_unknown_and_found_done_when_asked_again(
    world, ada, client, method, path, body, first
):
    for step in first[1:] if first else ():
        assert client.post(f"{API}/{first[0]}", step).status_code == 200
    charged = len(world.stripe("GET", "charges")["data"])
    world.control("faults", api={"lose_answer": 2})  # the client asks twice by itself
    answer = getattr(client, method)(f"{API}/{path}", body)
    assert answer.status_code == 503
    if answer.json()["code"] == "stripe_unavailable":
        assert "we do not know" in answer.json()["detail"]
        assert "won't be charged twice" in answer.json()["detail"]
    world.control("faults")
    once_more = getattr(client, method)(f"{API}/{path}", body)
    assert once_more.status_code == 200, once_more.json()
    state = once_more.json()
    world.deliver()
    assert client.get(f"{API}/current").json() == state
    assert len(world.stripe("GET", "charges")["data"]) - charged == (1 if body == TEAM else 0)


def test_a_lane_in_other_hands_is_said(ada, client):
    claim = lanes.take(ada.customer)
    answer = client.post(f"{API}/cancel", {"when": "now"})
    assert (code(answer), "Retry-After" in answer.headers) == ((503, "busy"), True)
    assert Lane.objects.get(pk=ada.customer).token == claim.token


# Plans


@pytest.mark.parametrize(
    ("query", "languages", "expected"),
    [("", "", "usd"), ("", "de-AT,en;q=0.5", "eur"), ("?currency=JPY", "de", "jpy"), ("?currency=sek", "en-GB", "gbp")],
)
def test_the_visitors_currency_is_theirs_by_query_then_language(world, query, languages, expected):
    plans = APIClient().get(f"/api/v1/plans{query}", headers={"Accept-Language": languages}).json()
    assert [plan["currency"] for plan in plans] == [None, expected, expected]


def test_amounts_have_the_decimals_of_their_currency(world):
    Price.objects.filter(lookup_key="pro_month").update(
        currency_options={"jpy": 3000, "kwd": 6125, "isk": 250000, "ugx": 7500000}
    )
    prices = APIClient().get("/api/v1/plans").json()[1]["prices"]["month"]
    shown = {currency: prices[currency]["formatted"].replace("\xa0", " ") for currency in ("jpy", "kwd", "isk", "ugx")}
    assert shown == {"jpy": "¥3,000", "kwd": "KWD 6.125", "isk": "ISK 2,500", "ugx": "UGX 75,000"}


def test_the_customer_of_a_closed_account_is_nobodys(ada, client):
    Customer.objects.update(subscriber=None)
    assert code(client.post(f"{API}/portal")) == (409, "no_subscription")

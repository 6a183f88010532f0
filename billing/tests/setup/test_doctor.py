"""`billing_doctor`: each thing that can be wrong is named, with what to do."""

import json
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.http import HttpResponseRedirect
from django.utils import timezone

from billing import mailer
from billing.hosting import POSTGRESQL_OPTIONS
from billing.models import Credit, Invoice, Price, ScheduledTask, StripeEvent, SyncRun
from billing.queues import QUEUES
from billing.setup.doctor import here, services
from billing.tests.mailing import GRACE, send_by

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def a_site_that_stripe_could_reach(settings):
    """As far as its address tells; nothing listens there."""
    settings.SITE_URL = "http://127.0.0.2:9"
    settings.ALLOWED_HOSTS = ["127.0.0.2", "testserver"]


def examined():
    """Findings by name, and whether the command failed."""
    out, has_failed = StringIO(), False
    try:
        call_command("billing_doctor", "--json", stdout=out)
    except CommandError:
        has_failed = True
    found = {}
    for finding in json.loads(out.getvalue())["findings"]:
        found.setdefault(finding["name"], []).append(finding)
    return found, has_failed


def levels(found, name):
    return {finding["level"] for finding in found[name]}


def test_a_site_that_is_set_up_has_all_but_its_worker_running(world, settings):
    settings.ADMINS = GRACE
    call_command("setup_stripe", "--yes", stdout=StringIO())
    world.subscribed()
    call_command("sync_stripe", stdout=StringIO())
    found, has_failed = examined()
    wrong = {name for name in found if levels(found, name) != {"ok"}}
    assert wrong == {"queue"}
    assert has_failed


@pytest.mark.parametrize(("name", "starts"), [("django-q2", "qcluster"), ("celery", "celery beat"), ("none", "worker")])
def test_where_no_sync_has_run_it_says_what_keeps_the_schedule_of_this_queue(settings, name, starts):
    settings.BILLING_QUEUE = name
    [found] = here.sync()
    assert (found.level, starts in found.todo) == ("warning", True)


@pytest.mark.parametrize("name", [*QUEUES, "nonsense"])
def test_a_queue_whose_worker_was_not_seen_lately_is_named_with_what_to_start(settings, name):
    settings.BILLING_QUEUE = name
    [never] = here.queue()
    ScheduledTask.objects.create(task="billing.events.sweep.sweep", ran_at=timezone.now() - timedelta(minutes=4))
    [late] = here.queue()
    for finding in (never, late):
        assert (finding.level, f"The queue is {name}." in finding.text) == ("error", True)
        assert "Start" in finding.todo or "Set BILLING_QUEUE" in finding.todo
    assert (" yet." in never.text, " since " in late.text) == (True, True)
    ScheduledTask.objects.update(ran_at=timezone.now())
    StripeEvent.objects.create(
        id="evt_1", created=1, received_at=timezone.now() - timedelta(seconds=42), livemode=False, payload={}
    )
    [seen] = here.queue()
    assert (seen.level, "42 s." in seen.text) == ("ok", True)


def test_every_finding_that_is_not_ok_says_what_to_do(world):
    found, _ = examined()
    for findings in found.values():
        assert all(finding["todo"] for finding in findings if finding["level"] != "ok")
    assert levels(found, "portal") == {"error"}


def test_a_disabled_endpoint_and_one_that_sends_too_little_are_errors(world):
    call_command("setup_stripe", "--yes", stdout=StringIO())
    [endpoint] = world.stripe("GET", "webhook_endpoints")["data"]
    world.stripe("POST", f"webhook_endpoints/{endpoint['id']}", enabled_events=["invoice.paid"])
    assert levels(examined()[0], "webhook endpoint") == {"error"}
    world.stripe("POST", f"webhook_endpoints/{endpoint['id']}", disabled=True)
    assert "disabled" in examined()[0]["webhook endpoint"][0]["text"]


def test_dead_events_and_a_failed_sync_are_errors(world):
    world.subscribed()
    StripeEvent.objects.filter(pk=StripeEvent.objects.first().pk).update(status="dead")
    SyncRun.objects.create(mode="full", status="failed", started_at=timezone.now(), clock_at=timezone.now(), error="x")
    found, _ = examined()
    assert "error" in levels(found, "backlog")
    assert levels(found, "sync") == {"error"}


def test_amounts_that_are_not_stripes_are_an_error(world):
    Price.objects.filter(lookup_key="pro_month").update(unit_amount=1)
    assert "error" in levels(examined()[0], "prices")


def test_a_wrong_key_a_cache_for_each_process_and_a_dead_mail_server_are_errors(world, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    send_by(settings, mailer.SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1)
    settings.STRIPE_SECRET_KEY = "sk_live_" + "0" * 24
    found, _ = examined()
    assert [levels(found, name) for name in ("cache", "mail")] == [{"error"}] * 2
    assert "error" in levels(found, "key")


def test_stripe_out_of_reach_is_an_error_and_the_site_is_examined_all_the_same(world):
    world.control("faults", api={"fail_next": 1000, "status": 503})
    found, has_failed = examined()
    assert has_failed
    assert levels(found, "key") == {"error"}
    assert levels(found, "mail") == {"ok"}


def test_an_old_webhook_is_a_warning(world):
    world.subscribed()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=30))
    assert levels(examined()[0], "events") == {"warning"}


def test_plans_that_are_not_as_the_settings_say_and_a_free_one_that_is_missing_are_errors(world, settings):
    settings.BILLING_PLANS = [{"slug": "solo", "name": "Solo"}]
    settings.BILLING_FREE_PLAN = "nothing"
    found, has_failed = examined()
    assert has_failed
    told = [finding["text"] for finding in found["plans"]]
    assert told == [
        "solo, free, pro, team: the plans in the database are not those that are defined.",
        "There is no plan 'nothing', so subscribers who pay nothing can use nothing.",
    ]


def test_the_ledger_is_not_examined_before_a_sync_and_names_what_differs_after_it(world):
    world.subscribed()
    assert levels(examined()[0], "ledger") == {"warning"}
    world.advance(hours=0.1)
    call_command("sync_stripe", stdout=StringIO())
    assert [finding["text"] for finding in examined()[0]["ledger"]] == [
        "The books of 90 days balance: $20.00 invoiced = $20.00 paid."
    ]
    Invoice.objects.update(amount_remaining=1)
    found, has_failed = examined()
    assert has_failed
    assert found["ledger"][0]["text"].endswith("asks $20.00, yet $20.00 is paid and $0.01 remains.")


def door(world):
    (found,) = examined()[0]["door"]
    return found


def test_a_signed_event_passes_all_middleware_and_nothing_of_it_is_left(world):
    assert door(world)["level"] == "ok"
    assert not StripeEvent.objects.exists()


def leads_away(get_response):
    return lambda request: HttpResponseRedirect("/maintenance/") if request.method == "POST" else get_response(request)


def reads_the_stream(get_response):
    def middleware(request):
        request.read()
        return get_response(request)

    return middleware


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MIDDLEWARE", "leads_away", "answers 302 and leads to /maintenance/"),
        ("MIDDLEWARE", "reads_the_stream", "a middleware of this site has read the body"),
        ("ALLOWED_HOSTS", ["testserver"], "answers 400"),
        ("SECURE_SSL_REDIRECT", True, "answers 301 and leads to https://"),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", 10, "answers 413"),
    ],
)
def test_what_stops_an_event_before_the_door_is_an_error(world, settings, name, value, said):
    is_middleware = name == "MIDDLEWARE"
    setattr(settings, name, [f"{__name__}.{value}", *settings.MIDDLEWARE] if is_middleware else value)
    found = door(world)
    assert found["level"] == "error"
    assert said.lower() in found["text"].lower()
    assert "/api/v1/webhooks/stripe" in found["todo"]


def test_credits_are_added_up_and_what_nobody_gave_back_is_named(world):
    ada = get_user_model().objects.create_user("ada@example.com")
    now = timezone.now()
    Credit.objects.create(
        subscriber=ada, feature="generations", source="pack", quantity=500, left=400, used=100, given_at=now,
        until=now - timedelta(hours=4),
    )  # fmt: skip
    late, fine = examined()[0]["credits"]
    assert (late["level"], fine["level"]) == ("warning", "ok")
    assert "not written off: 1" in late["text"]
    assert "500 given, 400 left, 100 used, 0 expired, 0 taken back" in fine["text"]


@pytest.mark.parametrize(
    ("host", "options", "is_named"),
    [
        ("db.example.com", {}, True),
        ("", {"host": "db.example.com", "connect_timeout": 5}, True),
        ("db.example.com", {"keepalives_idle": 10}, True),
        ("db.example.com", POSTGRESQL_OPTIONS, False),
        ("/run/postgresql", {}, False),
        ("", {}, False),
        ("", {"service": "billing"}, False),
    ],
)
def test_a_database_host_that_dies_unnoticed_is_named(monkeypatch, host, options, is_named):
    database = SimpleNamespace(vendor="postgresql", settings_dict={"HOST": host, "OPTIONS": options})
    monkeypatch.setattr(services, "connection", database)
    assert [finding.level for finding in services.dead_host()] == (["warning"] if is_named else [])


@pytest.mark.postgres
def test_without_a_pooler_nothing_is_said_of_one():
    assert list(services.pooler()) == []


@pytest.mark.parametrize(
    ("told", "without_cursors", "is_named"), [(7, False, False), (1, False, True), (1, True, False)]
)
def test_a_pooler_is_named_unless_no_cursor_is_opened_on_the_server(monkeypatch, told, without_cursors, is_named):
    asked = SimpleNamespace(execute=lambda sql: None, fetchone=lambda: [7])
    monkeypatch.setattr(
        services,
        "connection",
        SimpleNamespace(
            vendor="postgresql",
            settings_dict={"DISABLE_SERVER_SIDE_CURSORS": without_cursors},
            cursor=lambda: nullcontext(asked),
            connection=SimpleNamespace(info=SimpleNamespace(backend_pid=told)),
        ),
    )
    found = list(services.pooler())
    assert [finding.level for finding in found] == (["warning"] if is_named else [])

"""The log of a subscriber's whole story: ids on every line of the work, and nobody's address, secret or signature."""

import io
import json
import logging

import pytest
import structlog
from django.core.mail.backends import locmem

from billing import conf, signals, testing
from billing.models import StripeEvent
from config.logging import logging_config
from notifications import outbox
from notifications.models import Mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def log():
    """The production log's lines, as they are written."""
    stream = io.StringIO()
    made = {key: value for key, value in logging_config(is_json=True)["formatters"]["line"].items() if key != "()"}
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**made))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def refuse(sender, **kwargs):
    logging.getLogger("host").error("no shelf for ada@example.com, key %s", conf.conf.api_key)
    raise LookupError("no shelf for ada@example.com")


def test_it_names_what_happened_and_nobody(world, client, log, monkeypatch, settings):
    signals.payment_succeeded.connect(refuse)
    try:
        ada = world.subscribe()
        world.deliver(work=False)
        testing.work()
    finally:
        signals.payment_succeeded.disconnect(refuse)
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver(work=False)
    testing.work()
    event = StripeEvent.objects.get(type="charge.dispute.created")
    testing.post(b'{"customer_email": "ada@example.com"}', signature="t=1,v1=" + "a" * 64)
    client.get("/no/such/page/ada@example.com", secure=True)
    client.post("/accounts/login/", {"username": "ada@example.com", "password": "wrong"}, secure=True)

    def away(backend, messages):
        raise ConnectionResetError(f"{messages[0].to} is away, said smtp://user:secret@mail.example")

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", away)
    for pk in Mail.objects.filter(status="queued").values_list("pk", flat=True):
        outbox.deliver(str(pk))

    lines = log()
    text = json.dumps(lines)
    for secret in (
        "@example.com",
        settings.STRIPE_SECRET_KEY,
        *settings.STRIPE_WEBHOOK_SECRETS,
        "a" * 64,
        "user:secret",
    ):
        assert secret not in text, secret
    applied = [line for line in lines if line["event"] == "events applied"]
    assert event.pk in applied[-1]["stripe_events"]
    assert (applied[-1]["lane"], applied[-1]["subscriber"]) == (ada.customer, str(ada.user.pk))
    said = {(line["lane"], line["cause"]) for line in lines if line["logger"] == "host"}
    assert (ada.customer, StripeEvent.objects.get(type="invoice.paid").pk) in said
    paid = StripeEvent.objects.get(type="invoice.paid").pk
    [failed] = [line for line in lines if line["event"] == "event failed" and line["stripe_event"] == paid]
    assert (failed["level"], failed["cause"]) == ("error", paid)
    assert "refuse" in failed["exception"]
    mail = Mail.objects.get(kind="dispute_opened")
    [sent] = [line for line in lines if line["event"] == "mail not sent" and line["mail"] == mail.key]
    assert (sent["lane"], sent["cause"], sent["outcome"]) == (ada.customer, mail.cause, "may have been sent")


def test_the_door_names_the_event_that_it_could_not_store(world, log, monkeypatch):
    from django.db import OperationalError

    from billing.events import ledger

    def away(*args, **kwargs):
        raise OperationalError("password=hunter2")

    monkeypatch.setattr(ledger, "record", away)
    event = testing.event("invoice.paid", {"id": "in_1", "customer": "cus_1"})
    assert testing.deliver(event).status_code == 503
    [line] = [line for line in log() if line["event"] == "event not stored"]
    assert (line["stripe_event"], line["level"]) == (event["id"], "error")
    assert "hunter2" not in json.dumps(line)

"""Staff export the list of events as CSV."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from .test_events import LIST, an_event, member_of_staff

pytestmark = pytest.mark.django_db
EXPORT = f"{LIST}export/"


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.fixture
def operator() -> Client:
    return member_of_staff("operator@example.com", "view_stripeevent", "handle_stripeevent", "export_stripeevent")


def exported(client: Client, **query: str) -> list[dict[str, str]]:
    answer: Any = client.get(EXPORT, query)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_export_holds_what_the_list_would_and_is_logged(operator, monkeypatch):
    monkeypatch.setattr("billing.admin.event_export.PORTION", 2)
    for number in range(1, 6):
        an_event(number, type=["invoice.paid", "charge.refunded"][number % 2])
    assert [row["id"] for row in exported(operator)] == [f"evt_{number}" for number in range(1, 6)]
    assert [row["id"] for row in exported(operator, type="charge.refunded", p="1")] == ["evt_1", "evt_3", "evt_5"]
    assert LogEntry.objects.filter(change_message="Exported as CSV").count() == 2


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "\n", "\r"])
@pytest.mark.parametrize("formula", ["=1+1|calc!a0", "+1", "-1", "@SUM(1)", " =1", '"=1', "\t=1", "＝1"])
def test_a_spreadsheet_finds_no_formula_whatever_it_takes_for_a_separator(operator, formula, separator):
    """W15: `"a;=1+1|calc!a0;b"@example.com` in a file that is split at semicolons."""
    an_event(1, error_message=f"a{separator}{formula}{separator}b", object_id=formula)
    text = b"".join(operator.get(EXPORT).streaming_content).decode()
    for split_at in (",", ";", "\t", "|"):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=split_at):
            assert not [cell for cell in row if re.match(r'["\s]*[=+@＝＋＠-]', cell)]


@pytest.mark.parametrize("text", ["in_1=2", "a-b; c-d, e+f", "ada@example.com", "2026-05-10T12:00:00+00:00", "x; y"])
def test_the_export_leaves_other_text_as_it_is(operator, text):
    an_event(1, error_message=text)
    assert exported(operator)[0]["note"] == text


def test_a_spreadsheet_takes_nothing_in_the_export_for_a_formula(operator):
    an_event(1, error_message='=HYPERLINK("https://evil.example")', object_id="@SUM(1)")
    row = exported(operator)[0]
    assert (row["note"][:2], row["object"]) == ("'=", "'@SUM(1)")


def test_payloads_are_exported_only_for_who_may_see_them_and_without_secrets(operator):
    an_event(1, payload={"client_secret": "pi_1_secret_2", "name": "Ada"})
    assert "payload" not in exported(operator)[0]
    seer = member_of_staff("seer@example.com", "view_stripeevent", "export_stripeevent", "view_payload")
    assert json.loads(exported(seer)[0]["payload"]) == {"client_secret": "•••", "name": "Ada"}


def test_staff_without_the_permission_cannot_export(reader, operator):
    assert reader.get(EXPORT).status_code == 403
    assert "Export as CSV" not in reader.get(LIST).content.decode()
    assert "Export as CSV" in operator.get(LIST).content.decode()


def test_an_export_by_payload_is_refused(operator):
    assert operator.get(EXPORT, {"payload__name": "Ada"}).status_code == 400

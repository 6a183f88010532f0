"""A line of the production log can be parsed, and says nothing about a person."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOGGED = """
import logging.config, structlog
from config.logging import configure_structlog, logging_config

configure_structlog()
logging.config.dictConfig(logging_config(is_json=True))

structlog.get_logger("billing.lanes").info("lane drained", lane="cus_1", events=3)
structlog.get_logger("accounts").info("signed in", email="alice@example.com", user_id="u_1")
logging.getLogger("django_q").warning("queue %s", "slow")
logging.getLogger("billing").warning("drained", extra={"lane": "cus_1", "payload": {"email": "bob@example.com"}})
password = "correct horse"
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("accounts").exception("failed")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, object]]:
    root = Path(__file__).resolve().parent.parent.parent
    result = subprocess.run([sys.executable, "-c", LOGGED], cwd=root, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_our_loggers_write_one_json_object_a_line(lines: list[dict[str, object]]) -> None:
    assert lines[0]["event"] == "lane drained"
    assert lines[0]["level"] == "info"
    assert (lines[0]["lane"], lines[0]["events"]) == ("cus_1", 3)


def test_so_do_those_of_the_libraries(lines: list[dict[str, object]]) -> None:
    assert (lines[2]["event"], lines[2]["logger"]) == ("queue slow", "django_q")


def test_personal_data_is_masked(lines: list[dict[str, object]]) -> None:
    assert (lines[1]["email"], lines[1]["user_id"]) == ("[redacted]", "u_1")
    assert (lines[3]["payload"], lines[3]["lane"]) == ("[redacted]", "cus_1")


def test_a_traceback_shows_no_values(lines: list[dict[str, object]]) -> None:
    assert "ZeroDivisionError" in str(lines[4]["exception"])
    assert "correct horse" not in str(lines[4])

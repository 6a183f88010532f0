"""Every command of ours in a pipe that is closed, at a terminal, and from cron: it ends, and shows no traceback."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.core.management import get_commands

from .terminals import CTRL_C, CTRL_D, ROOT, free_ports, terminal

pytestmark = pytest.mark.slow
READER_LEFT, INTERRUPTED, WRONG_USE = 141, 130, 2
# These go on until they are told to end, and have said this before.
GOES_ON = {"billing_worker": "The worker works.", "stripe_sandbox": "Webhook secret"}
# The arguments each is called with. `demo` ends at once where its ports are taken: test_demo.py runs it to its end.
ARGUMENTS = {
    "billing": ["export_ledger", "--month", "2026-10"],
    "billing_doctor": [],
    "billing_worker": [],
    "compare_integrations": ["--with", "djstripe"],
    "demo": ["--port", "{taken}", "--sandbox-port", "{taken}"],
    "explain_access": ["ada@example.com"],
    "export_ledger": ["--month", "2026-10"],
    "import_codes": ["{folder}/codes.csv", "--batch", "appsumo", "--plan", "pro"],
    "import_customers": ["--by", "email", "--dry-run"],
    "move_price": ["pro:month", "{dearer}", "--dry-run"],
    "remove_second_step": ["ada@example.com"],
    "prune_events": ["--older-than", "90"],
    "replay_events": ["--dead"],
    "setup": [],
    "setup_stripe": ["--yes"],
    "stripe_sandbox": ["--port", "0"],
    "sync_stripe": [],
    "untranslated": [],
    "write_reference": ["--to", "{folder}/api.md"],
}
# A site on one machine lacks a key and a worker: the doctor finds errors.
FAILS = {"billing_doctor", "demo"}
EVERY = pytest.mark.parametrize("name", sorted(ARGUMENTS))
Site = dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The variables that lead to a site that is set up, and to a Stripe of its own."""
    folder, [port] = tmp_path_factory.mktemp("site"), free_ports(1)
    env = {
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
        "DJANGO_DEBUG": "true", "DJANGO_SUPERUSER_PASSWORD": "correct-horse-battery", "FOLDER": str(folder),
        "TAKEN": str(port),
    }  # fmt: skip
    with serving(env, "--port", str(port)):
        assert from_cron("setup", env).returncode == 0
        assert from_cron("createsuperuser", env, "--noinput", "--email", "ada@example.com").returncode == 0
        assert from_cron("setup_stripe", env, "--yes").returncode == 0
        (folder / "codes.csv").write_text("AS-1\n")
        yield env | {"DEARER": dearer(env)}


def dearer(env: Site) -> str:
    """Make another price of pro by the month at the site's Stripe, and return its id."""

    def ask(path: str, **params: str) -> dict[str, Any]:
        body = urlencode(params).encode() if params else None
        asked = Request(f"{env['STRIPE_API_BASE']}/v1/{path}", body, headers={"Authorization": "Bearer sk_test_1"})
        with urlopen(asked) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    [sold] = ask("prices?lookup_keys[]=pro_month&expand[]=data.currency_options")["data"]
    options = {
        f"currency_options[{currency}][unit_amount]": str(option["unit_amount"] + 500)
        for currency, option in sold["currency_options"].items()
        if currency != "usd"
    }
    terms = {"product": sold["product"], "currency": "usd", "unit_amount": "2500", "recurring[interval]": "month"}
    return str(ask("prices", **terms, **options)["id"])


@contextmanager
def serving(env: Site, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A sandbox that has said where it is, as cron starts it."""
    with subprocess.Popen(
        as_of_cron("stripe_sandbox", env, *arguments), cwd=ROOT, env=without_term(env), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert "A Stripe" in process.stdout.readline()
            yield process
        finally:
            process.terminate()


def command(name: str, site: Site, *arguments: str) -> list[str]:
    known = {"taken": site["TAKEN"], "folder": site["FOLDER"], "dearer": site.get("DEARER", "")}
    given = [each.format(**known) for each in arguments or ARGUMENTS.get(name, [])]
    return [sys.executable, "manage.py", name, *given]


def as_of_cron(name: str, site: Site, *arguments: str) -> list[str]:
    """Even without an input."""
    return ["sh", "-c", 'exec "$@" <&-', "sh", *command(name, site, *arguments)]


def without_term(site: Site) -> Site:
    return {name: value for name, value in (os.environ | site).items() if name != "TERM"}


def from_cron(name: str, site: Site, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        as_of_cron(name, site, *arguments), cwd=ROOT, env=without_term(site), capture_output=True, text=True,
        check=False, timeout=180,
    )  # fmt: skip


def test_every_command_of_ours_is_looked_at() -> None:
    ours = {name for name, app in get_commands().items() if app in {"billing", "config", "accounts", "notifications"}}
    assert ours == set(ARGUMENTS)


@EVERY
def test_a_reader_who_leaves_is_no_error_to_be_shown(site: Site, name: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        command(name, site), cwd=ROOT, env=os.environ | site, stdin=subprocess.DEVNULL, stdout=writing,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        os.close(writing)
        complaints = process.communicate(timeout=180)[1]
    assert "Traceback" not in complaints
    assert "BrokenPipe" not in complaints
    assert process.returncode == (1 if name == "demo" else READER_LEFT), complaints


@EVERY
def test_at_a_terminal_it_ends_and_leaves_the_terminal_as_it_was(site: Site, name: str) -> None:
    with terminal(command(name, site), **site) as opened:
        if name in GOES_ON:
            opened.until(GOES_ON[name])
            opened.press(CTRL_C)
        assert opened.end() == (name in FAILS), opened.said
        assert "Traceback" not in opened.said
        assert opened.is_sane()
        assert opened.left_behind() == []


@pytest.mark.parametrize("name", sorted(set(ARGUMENTS) - set(GOES_ON)))
def test_cron_is_told_in_plain_text_with_nothing_written_over(site: Site, name: str) -> None:
    done = from_cron(name, site)
    said = done.stdout + done.stderr
    assert said
    assert "Traceback" not in said
    assert not {"\r", "\x1b"} & set(said)
    assert done.returncode == (name in FAILS), said


def test_a_sandbox_that_cron_started_ends_when_it_is_told_to(site: Site) -> None:
    with serving(site, "--port", "0") as sandbox:
        sandbox.send_signal(signal.SIGTERM)
        assert sandbox.wait(20) == 0
        assert "Traceback" not in sandbox.communicate()[0]


# The one question


@pytest.fixture
def unsold(site: Site) -> Site:
    """The same site, before a Stripe that has none of its prices any more."""
    with urlopen(Request(f"{site['STRIPE_API_BASE']}/_sandbox/reset", b"{}", method="POST")):
        return site


@pytest.mark.parametrize(
    ("keys", "code", "says"),
    [
        (b"n\n", 1, "Nothing was changed."),
        (CTRL_D, 1, "Nothing was changed."),
        (CTRL_C, INTERRUPTED, "[y/N]"),
        (b"y\n", 0, "found 4 prices."),
    ],
    ids=["no", "ctrl-d", "ctrl-c", "yes"],
)
def test_setup_stripe_asks_at_a_terminal_and_does_as_it_is_told(
    unsold: Site, keys: bytes, code: int, says: str
) -> None:
    with terminal(command("setup_stripe", unsold, "--verbosity=1"), **unsold) as opened:
        opened.until("[y/N]")
        opened.press(keys)
        assert opened.end() == code, opened.said
        assert says in opened.said
        assert "Traceback" not in opened.said
        assert opened.is_sane()


def test_setup_stripe_without_a_terminal_names_the_option_that_answers(unsold: Site) -> None:
    done = from_cron("setup_stripe", unsold, "--verbosity=1")
    assert done.returncode == WRONG_USE
    assert "--yes" in done.stderr
    assert from_cron("setup_stripe", unsold, "--dry-run").stdout.count("4 prices") == 0


def test_setup_stripe_does_not_ask_where_only_its_input_is_a_terminal(unsold: Site) -> None:
    piped = ["sh", "-c", '"$@" | cat', "sh", *command("setup_stripe", unsold, "--verbosity=1")]
    with terminal(piped, **unsold) as opened:
        opened.end()
        assert "--yes" in opened.said
        assert "[y/N]" not in opened.said

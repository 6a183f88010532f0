"""A test fails, and says where, if anything makes a page untrue."""

import sys

import pytest
from django.apps import apps

from billing import access
from billing.signals import cancellation_scheduled

from . import readers
from .pages import Block, Page
from .shell import shell
from .site import Site, receivers_of_a_page

on_a_site = pytest.mark.django_db(transaction=True)


def block(language, text):
    return Block("docs/page.md", 7, "a-heading", language, text)


@pytest.fixture
def bash(tmp_path):
    with shell(tmp_path) as run_by:
        yield run_by


def test_blocks_are_found_with_their_line_and_section_the_indented_ones_too(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(
        "# A `b_c` page!\n\n```sh\n# no heading\n```\n\n- a list:\n\n  ```json\n  {}\n  ```\n\n    indented\n"
    )
    page = Page(file)
    assert [(found.line, found.section, found.language, found.text) for found in page.blocks] == [
        (3, "a-b_c-page", "sh", "# no heading\n"),
        (9, "a-b_c-page", "json", "{}\n"),
        (13, "a-b_c-page", "indented", "indented\n"),
    ]
    assert page.anchors == {"a-b_c-page"}


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("ruby", "puts 1\n", "nothing runs a block of 'ruby'"),
        ("indented", "ls\n", "nothing runs a block of 'indented'"),
        ("json", "{", "Expecting"),
        ("html", "{% load nothing %}", "nothing"),
    ],
)
def test_a_block_that_nothing_runs_or_nobody_could_read_fails_by_page_and_line(language, text, reason):
    with pytest.raises(AssertionError, match=r"docs/page.md:7: ") as failed:
        Site(None, "", None).follow(block(language, text))
    assert reason in str(failed.value)


@on_a_site
@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("python", "1 / 0\n", "division by zero"),
        ("python", "# mysite/settings.py\nBILLING_SUBSCRIBER_MODEL = 'no.Model'\n", "no.Model"),
        ("sh", "manage.py explain_access nobody@example.com\n", "nobody@example.com"),
        ("sh", "curl http://127.0.0.1:8000/api/v1/subscriptions/current\n", "error: 401"),
        ("sql", "SELECT nothing FROM billing_lane\n", "nothing"),
    ],
)
def test_a_block_that_does_not_do_what_it_says_fails_by_page_and_line(site, language, text, reason):
    with pytest.raises(AssertionError, match=r"docs/page.md:7: ") as failed:
        site.follow(block(language, text))
    assert reason in str(failed.value)


LISTENING = """
from billing.lifecycle.cancel import cancel
from billing.signals import cancellation_scheduled

@cancellation_scheduled.connect
def hear(subscription, **kwargs):
    heard.append(subscription.customer.subscriber)
"""


@on_a_site
def test_a_receiver_of_a_page_hears_what_stripe_tells_until_the_page_ends(site):
    before = list(cancellation_scheduled.receivers)
    with receivers_of_a_page():
        site.follow(block("python", f"heard = []\n{LISTENING}"))
        site.follow(block("python", "cancel(user, 'period_end')\n"))
        site.follow(block("python", "assert heard == [user]\n"))
        assert cancellation_scheduled.receivers != before
    assert cancellation_scheduled.receivers == before


@on_a_site
def test_what_a_receiver_raises_fails_the_block_it_hears_of(site):
    site.follow(block("python", LISTENING))
    with pytest.raises(AssertionError, match="name 'heard' is not defined"):
        site.follow(block("python", "cancel(user, 'period_end')\n"))


@on_a_site
def test_settings_of_a_page_hold_until_its_end_and_may_name_its_files(site):
    site.follow(block("python", "# shop/rules.py\ndef never(subscriber):\n    return 'suspended'\n"))
    lines = ["BILLING_ACCESS_RULE = 'shop.rules.never'", "INSTALLED_APPS += ['django.contrib.humanize']"]
    site.follow(block("python", "\n".join(["# mysite/settings.py", *lines])))
    assert access.of(site.namespace["user"]).reason == "host_suspended"
    assert apps.is_installed("django.contrib.humanize")
    site.end()
    assert access.of(site.namespace["user"]).reason == "active"
    assert not apps.is_installed("django.contrib.humanize")
    assert "shop" not in sys.modules


def test_a_line_may_say_how_it_ends_and_is_held_to_it(bash):
    bash.run("manage.py no_such    # exit code 2\n")
    with pytest.raises(AssertionError, match="ended with 1"):
        bash.run("manage.py no_such    # exit code 3\n")
    with pytest.raises(AssertionError, match="ended with 99"):
        bash.run("true    # exit code 1\n")


def test_variables_and_functions_last_for_the_page(bash):
    bash.run("NAME=ada; greet() { echo hello $1; }\n")
    assert bash.run("greet $NAME\n") == "hello ada\n"


@pytest.mark.parametrize(
    "line", ["rm -rf .", "make nonsense", "python -m bench.nonsense", "manage.py setup --nonsense"]
)
def test_programs_that_are_not_there_and_what_ours_do_not_take_fail(bash, line):
    with pytest.raises(AssertionError, match="ended with"):
        bash.run(f"{line}\n")


@pytest.mark.parametrize("line", ["$ ls", "python manage.py check", "make test", "SELECT 1 FROM x", "server {"])
def test_what_is_printed_holds_no_command(line):
    with pytest.raises(AssertionError, match="a command in what is only printed"):
        readers.read_output(block("", f"ok\n{line}\n"))


@pytest.mark.parametrize("text", ["listen 80", "server {\n", "}\n"])
def test_a_proxys_settings_that_do_not_parse_fail(text):
    with pytest.raises(AssertionError):
        readers.read_nginx(block("nginx", text))

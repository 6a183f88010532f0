"""Everything that a page puts into backticks exists: commands, settings, variables, names of the code, files and
addresses."""

import re

import pytest

from . import names
from .pages import PAGES, ROOT

DEPLOYED = sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file())

# By anymail, by Celery, and by Django itself.
NOT_READ_HERE = ("ANYMAIL_", "CELERY_", "DJANGO_ALLOW_ASYNC_UNSAFE")

each_page = pytest.mark.parametrize("page", PAGES, ids=str)


@each_page
def test_the_commands_are_ours_and_take_what_they_are_given(page):
    for command in names.commands(page.text) + names.spans_of_commands(page):
        assert not names.wrong_use(command), command


@pytest.mark.parametrize("file", DEPLOYED, ids=lambda file: file.name)
def test_what_is_deployed_calls_commands_as_they_are(file):
    for command in names.commands(file.read_text()):
        assert not names.wrong_use(command), command


@each_page
def test_modules_that_python_is_to_run_can_be_found(page):
    assert [name for name in names.MODULE.findall(page.text) if not names.is_module(name)] == []


def test_settings_and_variables_are_read_by_the_code():
    known, own = names.settings_read(), names.own_settings()
    for page in PAGES:
        named = {name.removesuffix("_FILE") for span in page.spans for name in names.SETTING.findall(span)}
        assert {name for name in named - known if not name.startswith(NOT_READ_HERE)} == set(), page
        assert set(names.OWN_SETTING.findall(page.text)) <= own, page


@pytest.mark.django_db
@each_page
def test_dotted_names_are_those_of_the_code(page):
    dotted = [span for span in page.spans if names.DOTTED.fullmatch(span) and ".example." not in span]
    wrong = [name for name in {*dotted, *names.CHECK.findall(page.text)} if not names.is_a_name(name)]
    assert not wrong


@each_page
def test_files_are_there(page):
    named = [span for span in page.spans if names.FILE.fullmatch(span) and not span.startswith(names.ELSEWHERE)]
    assert [name for name in named if not names.is_a_file(name, page)] == []


@each_page
def test_addresses_lead_to_a_page_of_the_site(page):
    named = [found[1] for span in page.spans if (found := names.ADDRESS.fullmatch(span))]
    ours = [path for path in named if not path.startswith(names.NOT_OURS)]
    assert [path for path in ours if not names.is_an_address(path)] == []


def test_what_make_is_asked_for_is_in_the_makefile():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z]+)", page.prose)) <= set(targets), page

"""docs/api.md says what the code says, and everything public says what it is for."""

import inspect
import re
from pathlib import Path

from django.dispatch import Signal

from billing import signals
from billing.conf import documented
from billing.setup.checks import CHECKS
from config import reference
from config.reference import public

SENT = re.compile(r"signals\.(\w+)(?:\.send\(|, )([^)]*)\)", re.DOTALL)


def test_the_committed_page_is_what_the_code_says():
    assert reference.PATH.read_text() == reference.page(), "run `make docs`"


def test_everything_public_has_a_docstring():
    assert [name for name, found in public.callables() if not public.documentation(found)] == []


def test_every_module_setting_and_signal_says_what_it_is_for():
    page = reference.page()
    assert all(public.documentation(module) for module, _ in public.modules())
    assert all(sentence for _, sentence in documented().values())
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert [name for name in names if not re.search(rf"^\| `{name}` \| \S", page, re.MULTILINE)] == []


def test_a_setting_that_the_code_reads_is_on_the_page():
    source = inspect.getsource(inspect.getmodule(documented))
    read = set(re.findall(r'_get\("(\w+)"', source))
    assert read == documented().keys()


def test_every_argument_a_signal_is_sent_with_is_on_the_page():
    said = dict(re.findall(r"^(\w+) = Signal\(\)  # (.*)$", Path(signals.__file__).read_text(), re.MULTILINE))
    sent = [found for file in Path(signals.__file__).parent.rglob("*.py") if "tests" not in file.parts
            for found in SENT.findall(file.read_text())]  # fmt: skip
    assert len({name for name, _ in sent}) > len(said) // 2
    for name, arguments in sent:
        for argument in re.findall(r"\b(\w+)=", arguments):
            assert argument in {"sender", "subscription"} or argument in said[name], f"{name}: {argument}"


def test_every_check_is_listed_once():
    page = reference.page()
    assert [check.id for check in CHECKS if page.count(f"| `{check.id}` |") != 1] == []

"""A page's blocks run on this site: it has plans on sale, served over HTTP, and Ada, who is on Pro by the month."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from types import ModuleType

from django.conf import settings as django_settings
from django.core import checks
from django.db import connection
from django.dispatch import Signal
from django.template import Engine
from django.test import RequestFactory, override_settings

from billing import signals
from billing.tests.world import World

from . import readers
from .pages import Block
from .shell import Shell

FILE = re.compile(r"# ([\w/]+)\.py\b")
ADDED_TO = ("BASE_DIR", "DATABASES", "INSTALLED_APPS", "MIDDLEWARE")
POSTGRESQL = "-- PostgreSQL"
SIGNALS = [value for value in vars(signals).values() if isinstance(value, Signal)]


@contextmanager
def receivers_of_a_page() -> Iterator[None]:
    """Receivers that a block connects hear our signals no longer than this."""
    before = [(signal, list(signal.receivers)) for signal in SIGNALS]
    try:
        yield
    finally:
        for signal, receivers in before:
            signal.receivers = receivers
            signal.sender_receivers_cache.clear()


@dataclass
class Site:
    world: World
    url: str
    shell: Shell
    namespace: dict = field(default_factory=dict)
    files: list = field(default_factory=list)
    overridden: list = field(default_factory=list)

    def begin(self) -> None:
        ada = self.world.subscribed()
        request = RequestFactory().get("/")
        request.user = ada.user
        self.namespace.update(__name__="page", user=ada.user, request=request)

    def end(self) -> None:
        while self.overridden:
            self.overridden.pop().disable()
        while self.files:
            del sys.modules[self.files.pop()]

    def follow(self, block: Block) -> None:
        """Do what it says; all that Stripe has to tell of it is delivered and applied. Fails by page and line."""
        run = getattr(self, f"run_{block.language}", None) or readers.READERS.get(block.language)
        assert run, f"{block.where}: nothing runs a block of {block.language!r}: see config/tests/docs"
        try:
            run(block)
            self.world.deliver()
        except (Exception, SystemExit) as wrong:
            raise AssertionError(f"{block.where}: {str(wrong) or repr(wrong)}") from wrong

    def run_python(self, block: Block) -> None:
        # At its lines of the page, which a traceback then shows.
        code = compile("\n" * block.line + self._here(block.text), block.page, "exec")
        named = FILE.match(block.first_line)
        if not named:
            exec(code, self.namespace)
        elif named[1].endswith("/settings"):
            self._set(code)
        else:
            self._add(named[1].replace("/", "."), code)

    def run_sh(self, block: Block) -> None:
        self.shell.run(self._here(block.text))

    run_bash = run_sh

    def run_sql(self, block: Block) -> None:
        if block.first_line.startswith(POSTGRESQL) and connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            for statement in filter(str.strip, block.text.split(";\n")):
                cursor.execute(statement)

    def run_html(self, block: Block) -> None:
        Engine.get_default().from_string(block.text)

    def _here(self, text: str) -> str:
        """The addresses of a page are those of this site and its Stripe."""
        for public, ours in (("12111", self.world.url), ("8000", self.url)):
            text = re.sub(rf"(http://)?(127\.0\.0\.1|localhost):{public}\b", ours, text)
        return text

    def _set(self, code) -> None:
        before = {name: getattr(django_settings, name) for name in ADDED_TO}
        names = deepcopy(before)
        exec(code, names)
        given = {name: value for name, value in names.items() if name.isupper() and value != before.get(name)}
        override = override_settings(**given)
        override.enable()
        self.overridden.append(override)
        wrong = [found for found in checks.run_checks() if found.is_serious() and not found.is_silenced()]
        assert not wrong, wrong

    def _add(self, name: str, code) -> None:
        """A file of the reader's project, or more lines of one."""
        for module in (name.rpartition(".")[0], name):
            if module not in sys.modules:
                sys.modules[module] = ModuleType(module)
                self.files.append(module)
        assert name in self.files, f"{name} is ours"
        exec(code, vars(sys.modules[name]))

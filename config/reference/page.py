"""This module writes the page: one section for each kind of thing that a host project may rely on."""

import re
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from billing import hosting, signals
from billing.conf import documented
from billing.models import StripeEvent
from billing.setup.checks import CHECKS

from . import public

PATH = Path(settings.BASE_DIR) / "docs" / "api.md"
TEMPLATES = Path(settings.BASE_DIR) / "billing" / "templates" / "billing"
SIGNAL = re.compile(r"^(\w+) = Signal\(\)(?:  # (.*))?$", re.MULTILINE)
TITLE = re.compile(r"{% block title %}(.*?){% endblock %}", re.DOTALL)
BLOCK = re.compile(r"{% block (\w+) %}")
NO_TITLE = {
    "base.html": "the frame of all pages: replace it, or extend it and fill its blocks, to give them your look",
    "notice.html": "the frame of a page that explains why a request was not carried out",
    "not_now.html": "an outage, or a refusal",
}

OPENING = """# What may I rely on?

`make docs` writes this page from the code, and a test compares them: do not edit it. Everything here is public in the
sense of [upgrading.md](upgrading.md): it is not removed without a warning. Examples are in [seams.md](seams.md).
The HTTP API is described by the site itself, at `/api/schema` and `/api/docs`.
"""


def page() -> str:
    sections = (python, signal_list, setting_list, command_list, template_list, hosting_list, ledger, check_list)
    text = "\n".join([OPENING, *("\n".join([*section(), ""]) for section in sections)])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def python() -> Iterator[str]:
    yield "## Python"
    for module, names in public.modules():
        yield f"\n### `{module.__name__}`\n"
        yield f"{public.documentation(module)}\n"
        for name in names:
            found = getattr(module, name)
            yield from (
                f"#### `{name}{public.signature(found)}`\n",
                f"{public.CONSTANTS.get(name) or public.documentation(found)}\n",
            )
            for part, member in public.members(found):
                yield f"- `{part}{public.signature(member)}`: {_line(public.documentation(member))}"
            if public.members(found):
                yield ""


def signal_list() -> Iterator[str]:
    yield "## Signals of `billing.signals`\n"
    yield f"{public.documentation(signals)}\n"
    source = Path(signals.__file__).read_text()
    yield from _table(
        ["signal", "when; its further arguments"], ([f"`{n}`", _escaped(s)] for n, s in SIGNAL.findall(source))
    )


def setting_list() -> Iterator[str]:
    yield "## Settings\n"
    rows = ([f"`{name}`", _default(default), _escaped(says)] for name, (default, says) in documented().items())
    yield from _table(["setting", "default", "what it does"], rows)


def command_list() -> Iterator[str]:
    yield "## Commands\n"
    yield "Each prints a summary of one line. Exit codes: 0 done, 1 failed, 2 wrong use; 3 where a command says so.\n"
    for name in sorted(name for name, app in get_commands().items() if app == "billing"):
        command: Any = load_command_class("billing", name)
        yield f"### `manage.py {name}`\n"
        yield f"{command.help}\n"
        if options := _options(command, name):
            yield from _table(["option", ""], options)
            yield ""


def template_list() -> Iterator[str]:
    yield "## Templates\n"
    yield "A file of the same name in one of your template folders replaces ours.\n"
    rows = []
    for file in sorted(TEMPLATES.glob("*.html")):
        text = file.read_text()
        title = TITLE.search(text)
        is_what = NO_TITLE.get(file.name) or (_said(title[1]) if title else "")
        rows.append(
            [f"`billing/{file.name}`", is_what, ", ".join(f"`{name}`" for name in dict.fromkeys(BLOCK.findall(text)))]
        )
    yield from _table(["template", "title", "blocks"], rows)


def hosting_list() -> Iterator[str]:
    yield "## `billing.hosting`\n"
    yield f"{public.documentation(hosting)}\n"
    names = [name for name in vars(hosting) if name.isupper()]
    yield from _table(["name", "value"], ([f"`{name}`", f"`{getattr(hosting, name)!r}`"] for name in names))


def ledger() -> Iterator[str]:
    yield f"## The table `{StripeEvent._meta.db_table}`\n"
    yield f"{public.documentation(StripeEvent)}\n"
    columns = [f"`{field.column}`" for field in StripeEvent._meta.concrete_fields]
    yield f"Its columns: {', '.join(columns)}."


def check_list() -> Iterator[str]:
    yield "## System checks\n"
    yield (
        "`manage.py check` says what is wrong and what to set. E is an error, W a warning, which "
        "`SILENCED_SYSTEM_CHECKS` may silence by its id. What should hold:\n"
    )
    yield from _table(
        ["id", "holds"], ([f"`{check.id}`", _escaped(check.about)] for check in sorted(CHECKS, key=attrgetter("id")))
    )


def _options(command: BaseCommand, name: str) -> list[list[str]]:
    common = {action.dest for action in BaseCommand().create_parser("", "")._actions}
    own = [action for action in command.create_parser("manage.py", name)._actions if action.dest not in common]
    return [[f"`{_option(action)}`", _escaped(action.help or "")] for action in own]


def _option(action: Any) -> str:
    """Return an option as one types it: `--at TIME`, `--by {id,email}`, `--dry-run`, `EMAIL`."""
    takes = action.metavar or ("{" + ",".join(action.choices) + "}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(takes)
    return action.option_strings[0] + ("" if action.nargs == 0 else f" {takes}")


def _default(value: Any) -> str:
    if value == settings.AUTH_USER_MODEL:
        return "`AUTH_USER_MODEL`"
    return "none" if value is None else f"`{value!r}`"


def _table(heads: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _said(title: str) -> str:
    """Return the words of a title, with … for what is filled in; its first words where a condition decides."""
    words = re.sub(r"{% translate \"(.*?)\" %}|{% blocktranslate[^%]*%}|{% endblocktranslate %}", r"\1", title)
    return re.sub(r"{[{%].*?[%}]}", "…", words)

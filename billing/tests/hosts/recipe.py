"""A recipe is what a page of docs/ tells a person to write and to run, taken from its code blocks; getting-started.md
by default.

A block of Python or HTML names the file that it is added to on its first line, `# mysite/settings.py`; what follows a
comma there says when: ", on SQLite", ", a page". In a block of `sh` a line is a command.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from billing import mailer

PAGE = Path(__file__).parents[3] / "docs" / "getting-started.md"
ON_SQLITE, IN_AN_OLD_PROJECT = "on SQLite", "where it is set already"
BEFORE_MAILERS = "before Django 6.1"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Addition:
    path: str
    when: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Those a person writes: without comments and blank ones."""
        return [line for line in self.text.splitlines() if line.strip() and not line.startswith(("#", "{#"))]


def additions(page: Path = PAGE, languages: Collection[str] = ("python",)) -> list[Addition]:
    found = [_addition(text) for language, text in _blocks(page) if language in languages]
    return [addition for addition in found if not (addition.when == BEFORE_MAILERS and mailer.HAS_MAILERS)]


def section(heading: str, page: Path) -> list[Addition]:
    """Return what one section of a page adds, in Python."""
    text = page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [_addition(block) for language, block in BLOCK.findall(text) if language == "python"]


def for_a_new_project(*, on_sqlite: bool = False) -> list[Addition]:
    """All that getting-started.md adds, in its order."""
    left_out = {IN_AN_OLD_PROJECT} if on_sqlite else {IN_AN_OLD_PROJECT, ON_SQLITE}
    return [addition for addition in additions(languages=("python", "html")) if addition.when not in left_out]


def shell_block(number: int, page: Path = PAGE) -> str:
    return [text for language, text in _blocks(page) if language == "sh"][number]


def commands(page: Path = PAGE) -> list[list[str]]:
    """`manage.py` commands in the order of the page, without "python manage.py"."""
    lines = [line for language, text in _blocks(page) if language == "sh" for line in text.splitlines()]
    return [line.split()[2:] for line in lines if line.startswith("python manage.py ")]


def _addition(text: str) -> Addition:
    named = text.splitlines()[0].strip("{#} ")
    path, _, when = named.partition(", ")
    return Addition(path, when, text)


def _blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text())

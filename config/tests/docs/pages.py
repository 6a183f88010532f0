"""The pages, read: their blocks, sections, links, and what they put into backticks."""

import os
import re
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FENCE = re.compile(r" *(```|~~~)")
HEADING = re.compile(r"#+ ")
INDENTED = re.compile(r" {4}\S")
LINK = re.compile(r"\]\(([^()\s]+)\)")
SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    section: str
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]


@dataclass(frozen=True)
class Page:
    path: Path

    def __str__(self) -> str:
        return os.path.relpath(self.path, ROOT)

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def blocks(self) -> list[Block]:
        """Return what is fenced, and what is indented like code (its language is "indented")."""
        found, section, lines = [], "", self.text.splitlines()
        number = 0
        while number < len(lines):
            end = _end_of_block(lines, number)
            if HEADING.match(lines[number]):
                section = anchor_of(lines[number])
            if end > number:
                language, text = _language(lines[number]), _inside(lines[number:end])
                found.append(Block(str(self), number + 1, section, language, text))
            number = max(end, number + 1)
        return found

    @cached_property
    def prose(self) -> str:
        """All but the fences."""
        return re.sub(r"^( *)```.*?^\1```$", "", self.text, flags=re.DOTALL | re.MULTILINE)

    @property
    def anchors(self) -> set[str]:
        return {anchor_of(line) for line in self.prose.splitlines() if HEADING.match(line)}

    @property
    def links(self) -> list[str]:
        return LINK.findall(self.prose)

    @property
    def spans(self) -> list[str]:
        """Return what stands in backticks, each on one line."""
        return [" ".join(span.split()) for span in SPAN.findall(self.prose)]


PAGES = [Page(ROOT / "README.md"), *(Page(path) for path in sorted((ROOT / "docs").rglob("*.md")))]


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def _end_of_block(lines: list[str], number: int) -> int:
    """The line after the block that begins here, or this one if none does."""
    if FENCE.match(lines[number]):
        return 1 + next((at for at in range(number + 1, len(lines)) if lines[at].strip() == "```"), len(lines))
    if INDENTED.match(lines[number]) and number and not lines[number - 1].strip():
        return next((at for at in range(number, len(lines)) if not lines[at].strip()), len(lines))
    return number


def _language(line: str) -> str:
    return line.strip().removeprefix("```") if FENCE.match(line) else "indented"


def _inside(lines: list[str]) -> str:
    inside = lines[1:-1] if FENCE.match(lines[0]) else lines
    return textwrap.dedent("\n".join(inside)) + "\n"

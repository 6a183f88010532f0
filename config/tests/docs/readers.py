"""Blocks that are not run but read, by who reads them elsewhere."""

import json
import re
from configparser import ConfigParser

from .pages import Block

PROGRAM = r"(python3?|manage\.py|make|pip|curl|gunicorn) "
STATEMENT = r"(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|VACUUM) "
COMMAND = re.compile(rf"\$ |{PROGRAM}|{STATEMENT}|(server|location)\b.*\{{$")
FIVE_FIELDS = re.compile(r"([\d*/,-]+ +){5}\S")


def read_output(block: Block) -> None:
    """Nothing that anybody would type, or copy into a file."""
    for line in block.text.splitlines():
        assert not COMMAND.match(line), f"a command in what is only printed: {line}"


def read_json(block: Block) -> None:
    json.loads(block.text)


def read_ini(block: Block) -> None:
    """Sections may be left out."""
    text = block.text if block.text.startswith("[") else f"[all]\n{block.text}"
    ConfigParser(strict=False, interpolation=None).read_string(text)


def read_nginx(block: Block) -> None:
    """Each directive ends, and each brace is closed."""
    depth = 0
    for line in block.text.splitlines():
        directive = line.partition("#")[0].strip()
        assert not directive or directive[-1] in ";{}", f"not ended: {line}"
        depth += directive.count("{") - directive.count("}")
        assert depth >= 0, f"closed too often: {line}"
    assert depth == 0, "a brace is not closed"


def read_cron(block: Block) -> None:
    for line in block.text.splitlines():
        assert line.startswith("#") or FIVE_FIELDS.match(line), line


READERS = {
    "": read_output, "text": read_output, "json": read_json, "ini": read_ini, "nginx": read_nginx, "cron": read_cron,
}  # fmt: skip

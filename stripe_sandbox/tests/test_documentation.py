"""docs/sandbox.md: the first five minutes, each block run as it stands there, at another port."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Checked

DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"
SECTION = DOCS.read_text().split("## The first five minutes")[1].split("\n## ")[0]
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", SECTION, re.DOTALL))


def told(sandbox: Checked, language: str, *command: str) -> list[str]:
    """The lines that a block prints."""
    block = BLOCKS[language].replace("http://127.0.0.1:12111", sandbox.url)
    done = subprocess.run([*command, block], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_every_block_is_run_here() -> None:
    assert BLOCKS.keys() == {"bash", "python"}
    assert SECTION.count("```") == 4


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl found")
def test_by_curl_someone_subscribes_and_has_paid_twice_after_a_month(sandbox: Checked) -> None:
    lines = told(sandbox, "bash", "bash", "-euo", "pipefail", "-c")
    assert lines[-2:] == ['"amount_paid": 2000'] * 2


def test_by_the_sdk_a_card_is_declined_and_another_pays(sandbox: Checked) -> None:
    lines = told(sandbox, "python", sys.executable, "-c")
    assert lines[0].startswith(f"{sandbox.url}/c/")
    assert lines[1:3] == ["declined", "complete active"]
    assert len(lines) == 8

"""`make demo` at a real terminal: it runs through, and however it ends, nothing of it is left."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from config.demo.processes import Processes

from .terminals import CTRL_C, ROOT, Terminal, free_ports, is_free, terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for what is left in /proc"),
]
STARTING, STORY, OPEN = "Starting the sandbox", "Zoe pays at Checkout", "Ctrl-C stops everything."
Demo = Callable[..., "Terminal"]


@pytest.fixture
def ports() -> Iterator[list[int]]:
    """Return the ports of the site and of the sandbox."""
    found = free_ports(2)
    yield found
    shutil.rmtree(ROOT / "tmp" / f"demo-{found[0]}", ignore_errors=True)


def options(ports: list[int]) -> list[str]:
    return ["--port", str(ports[0]), "--sandbox-port", str(ports[1])]


def short(ports: list[int], *more: str) -> list[str]:
    return [sys.executable, "config/tests/short_demo.py", "demo", *options(ports), *more]


def assert_nothing_is_left(opened: Terminal, ports: list[int]) -> None:
    assert opened.left_behind() == []
    assert [port for port in ports if not is_free(port)] == []
    assert opened.is_sane()
    assert "Traceback" not in opened.said


def test_typed_in_a_terminal_the_whole_demo_runs_through_and_closes_on_ctrl_c(ports: list[int]) -> None:
    make = ["make", "-o", ".venv/.runtime", "demo", f"RUN={sys.executable}", f"ARGS={' '.join(options(ports))}"]
    with terminal(make) as opened:
        said = opened.until(OPEN)
        assert "[y/N]" not in said
        assert "Every step had the right outcome." in said
        assert f"http://127.0.0.1:{ports[0]}/admin/billing_mail/preview/" in said
        assert "go by the sandbox's clock" in said
        with urlopen(f"http://127.0.0.1:{ports[0]}/") as page:
            assert "Sandbox time" in page.read().decode()
        opened.press(CTRL_C)
        opened.end()
        assert "Stopping." in opened.said
        assert_nothing_is_left(opened, ports)


def test_with_exit_the_demo_ends_by_itself_after_the_story(ports: list[int]) -> None:
    with terminal(short(ports, "--exit"), PYTHONPATH=str(ROOT)) as opened:
        assert opened.end() == 0, opened.said
        assert STORY in opened.said
        assert OPEN not in opened.said
        assert_nothing_is_left(opened, ports)


# That the key ends it once the site is open is held by the test of the whole demo.
@pytest.mark.parametrize("moment", [STARTING, STORY])
def test_ctrl_c_ends_the_demo_and_all_that_it_started(ports: list[int], moment: str) -> None:
    with terminal(short(ports), PYTHONPATH=str(ROOT)) as opened:
        opened.until(moment)
        opened.press(CTRL_C)
        assert opened.end() == 130, opened.said
        assert_nothing_is_left(opened, ports)


@pytest.mark.parametrize(("moment", "code"), [(STORY, 130), (OPEN, 0)])
def test_the_signal_of_ctrl_c_ends_it_too_however_often_it_comes(ports: list[int], moment: str, code: int) -> None:
    with terminal(short(ports), PYTHONPATH=str(ROOT)) as opened:
        opened.until(moment)
        opened.interrupt()
        opened.until("Stopping.")
        opened.interrupt()
        assert opened.end() == code, opened.said
        assert_nothing_is_left(opened, ports)


def test_a_terminal_that_is_closed_ends_the_demo_and_all_that_it_started(ports: list[int]) -> None:
    with terminal(short(ports), PYTHONPATH=str(ROOT)) as opened:
        opened.until(STORY)
        opened.hang_up()
        assert opened.end() == 128 + signal.SIGHUP
        assert opened.left_behind() == []
        assert [port for port in ports if not is_free(port)] == []


def test_a_child_of_the_demo_has_no_terminal_to_ask_at(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    asks = "import os, sys; print(sys.stdin.read() == '', os.isatty(0), os.getsid(0) == os.getpid())"
    (tmp_path / "asking.py").write_text(asks)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(tmp_path)
    try:
        processes.run("asking", ["-m", "asking"])
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    assert (tmp_path / "asking.log").read_text() == "True False True\n"
    assert processes.running == {}

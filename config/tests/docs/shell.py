"""Blocks of `sh`, run by a real bash whose programs are few, and ours answer from this process."""

import json
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

from django.db import connections

from .programs import PROGRAMS

TOOLS = ("bash", "cat", "curl", "date", "env", "grep", "head", "openssl", "sed", "tail")
PATIENCE_SECONDS = 60
# curl fails by what is answered, as a person would see it.
CURLRC = "silent\nshow-error\nfail-with-body\n"
ASKING = """#!{python} -IS
import json, os, socket, sys
with socket.create_connection({address}) as asked:
    asked.sendall(json.dumps([os.getcwd(), os.path.basename(sys.argv[0]), *sys.argv[1:]]).encode() + b"\\n")
    code, said = json.loads(asked.makefile().readline())
sys.stdout.write(said)
sys.exit(code)
"""
ENDS_WITH = re.compile(r" *# *(?:exit code (\d+)|([45]\d\d)\b).*$", re.MULTILINE)
CURLS_CODE = 22


class Shell:
    """One for a page: its blocks stand in one folder, and know the variables and functions of those before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / ".venv" / "bin"
        self.variables = {"PATH": str(path), "HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def run(self, text: str) -> str:
        """Return what it prints. Raises AssertionError with all that was said where it does not end as it should."""
        done = subprocess.run(
            ["bash", "-aeuo", "pipefail", "-c", f"{expecting(text)}\nenv -0 > .variables"],
            cwd=self.folder, env=self.variables, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"ended with {done.returncode}\n{done.stdout}{done.stderr}"
        for _, status in ENDS_WITH.findall(text):
            assert not status or f"error: {status}" in done.stderr, f"not answered {status}\n{done.stdout}{done.stderr}"
        kept = (self.folder / ".variables").read_text().split("\0")
        self.variables = dict(line.split("=", 1) for line in kept if line)
        return done.stdout


def expecting(text: str) -> str:
    """A line that says how it ends fails on any other end."""

    def turned(found: re.Match[str]) -> str:
        return f" && exit 99 || test $? = {found[1] or CURLS_CODE}"

    return ENDS_WITH.sub(turned, text)


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    with TCPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            _fill(folder / ".venv" / "bin", ASKING.format(python=sys.executable, address=server.server_address))
            (folder / ".curlrc").write_text(CURLRC)
            yield Shell(folder)
        finally:
            server.shutdown()
            thread.join()


class Answering(StreamRequestHandler):
    """One program of ours: its folder, name and arguments come in, its exit code and what it printed go out."""

    def handle(self) -> None:
        folder, name, *arguments = json.loads(self.rfile.readline())
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said), chdir(folder):
            code = _run(name, arguments)
        self.wfile.write(json.dumps([code, said.getvalue()]).encode() + b"\n")


def _run(name: str, arguments: list[str]) -> int:
    try:
        return PROGRAMS[name](arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 (whatever it raises is what the page's reader would see)
        traceback.print_exc()
        return 1
    finally:
        connections.close_all()


def _fill(folder: Path, script: str) -> None:
    folder.mkdir(parents=True)
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    for name in PROGRAMS:
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)

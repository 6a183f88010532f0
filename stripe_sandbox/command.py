"""The command prints the sandbox's address, serves until it is told to end, and ends cleanly."""

import argparse
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .books.tax import table
from .running import Sandbox, described
from .saving import NotAState


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=port, default=12111, help="0 takes a free one (default 12111)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--forward", type=url, metavar="URL", help="deliver every event there")
    parser.add_argument("--forward-thin", type=url, metavar="URL", help="deliver every thin event there")
    parser.add_argument("--webhook-secret", metavar="whsec_…", help="sign with this secret (default: a new one)")
    parser.add_argument("--state", type=state_file, metavar="FILE", help="keep the state in this file")
    parser.add_argument("--tax", type=tax_table, metavar="FILE", help="collect taxes by the table in this JSON file")
    parser.add_argument(
        "--any-version", action="store_true", help="answer clients of other API versions too, in the sandbox's own"
    )


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 65_536:
        raise ValueError
    return number


def url(text: str) -> str:
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).netloc:
        raise ValueError
    return text


def tax_table(text: str) -> dict[str, Any]:
    try:
        return table.read(Path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def state_file(text: str) -> str:
    if Path(text).is_dir() or not Path(text).absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no file in a directory that exists.")
    return text


def run(
    port: int,
    host: str,
    forward: str | None,
    webhook_secret: str | None,
    state: str | None,
    write: Callable[[str], Any] = print,
    any_version: bool = False,
    forward_thin: str | None = None,
    tax: dict[str, Any] | None = None,
    **_: Any,
) -> int:
    more: dict[str, Any] = {"any_version": any_version, "forward_thin": forward_thin, "tax": tax}
    sandbox = Sandbox(port, host, forward, webhook_secret, state, **more)
    try:
        sandbox.start()
    except NotAState as error:
        write(f"The sandbox cannot go on: {error}")
        return 1
    except OSError as error:
        write(f"The sandbox cannot listen on {host}:{port}: {error.strerror}.")
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        write(described(sandbox))
        ended.wait()
    finally:
        sandbox.stop()
    return 0

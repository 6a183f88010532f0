"""This module prints the benchmarks' results: a line for each measurement, with its baseline of the same run and its
target."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

WIDTHS = (58, 24, 24, 10, 12)


@dataclass(frozen=True)
class Row:
    """A row shows `ours` beside `baseline`, both with their unit; `is_reached` is None without a target."""

    work: str
    baseline: str
    ours: str
    ratio: str = ""
    target: str = ""
    is_reached: bool | None = None


def show(rows: Iterable[Row]) -> int:
    """Print the rows; return 1 if a target was missed."""
    rows = list(rows)
    _line("", "baseline", "ours", "ratio", "target")
    for row in rows:
        verdict = {True: "reached", False: "MISSED", None: ""}[row.is_reached]
        _line(row.work, row.baseline, row.ours, row.ratio, row.target, verdict)
    return int(any(row.is_reached is False for row in rows))


def _line(*cells: str) -> None:
    first, *others, last = cells if len(cells) == 6 else (*cells, "")
    print(
        first.ljust(WIDTHS[0]), *(cell.rjust(width) for cell, width in zip(others, WIDTHS[1:], strict=True)), "", last
    )


def main(measure: Callable[[], list[Row]]) -> int:
    """Run one benchmark alone, or for the table of them all (`--json`)."""
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    is_json = parser.parse_args().json
    rows = measure()
    if not is_json:
        return show(rows)
    print(json.dumps([asdict(row) for row in rows]))
    return 0

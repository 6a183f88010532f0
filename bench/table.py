"""This module prints the benchmarks' results: a line for each measurement, with its baseline of the same run, its
target, and what it cost in the release before.

What a machine's speed has no part in is held: counts, and CPU as a multiple of what the baseline took in the same run.
`bench/baseline.json` has them of the last release; whoever makes a release writes it anew (`python -m bench --keep`).
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

WIDTHS = (58, 24, 24, 10, 12, 9)
KEPT = Path(__file__).with_name("baseline.json")
WORSE = 1.1


@dataclass(frozen=True)
class Row:
    """A row shows `ours` beside `baseline`, both with their unit; `is_reached` is None without a target.

    `cost` is a count or a ratio that may not be more than a tenth above that of the release before.
    """

    work: str
    baseline: str
    ours: str
    ratio: str = ""
    target: str = ""
    is_reached: bool | None = None
    cost: float | None = None


def show(rows: Iterable[Row], kept: dict[str, float] | None = None) -> int:
    """Print the rows; return 1 if a target was missed, or if one costs a tenth more than in the release before."""
    rows, kept = list(rows), released() if kept is None else kept
    _line("", "baseline", "ours", "ratio", "target", "release")
    for row in rows:
        before = kept.get(row.work) if row.cost is not None else None
        told = "" if before is None else f"{before:.2f}"
        verdict = {True: "reached", False: "MISSED", None: ""}[row.is_reached]
        _line(row.work, row.baseline, row.ours, row.ratio, row.target, told, f"{verdict} {_worse(row, kept)}".strip())
    return int(any(row.is_reached is False or _worse(row, kept) for row in rows))


def released() -> dict[str, float]:
    """Return what the release before cost, by the name of the work; nothing before the first."""
    return dict(json.loads(KEPT.read_text())) if KEPT.exists() else {}


def keep(rows: Iterable[Row]) -> None:
    """Write what these rows cost, for the next release to be held to; what was not measured stays as it is."""
    costs = {row.work: round(row.cost, 2) for row in rows if row.cost is not None}
    KEPT.write_text(json.dumps({**released(), **costs}, indent=2, ensure_ascii=False, sort_keys=True) + "\n")


def _worse(row: Row, kept: dict[str, float]) -> str:
    before = kept.get(row.work)
    if row.cost is None or before is None or row.cost <= before * WORSE:
        return ""
    return f"WORSE: {row.cost:.2f}"


def _line(*cells: str) -> None:
    first, *others, last = cells if len(cells) == len(WIDTHS) + 1 else (*cells, "")
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

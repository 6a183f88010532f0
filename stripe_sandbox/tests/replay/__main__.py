"""Prints how the replay of the recorded stories goes: `python -m stripe_sandbox.tests.replay [--differences]`."""

import sys
from collections.abc import Iterator

from stripe_sandbox import Sandbox

from .replaying import Outcome, replay
from .stories import read

HEAD = f"{'story':<10} {'requests':>9} {'replayed':>9} {'same status':>12} {'same in every field':>20}"


def row(name: str, outcomes: list[Outcome]) -> str:
    told = [outcome for outcome in outcomes if outcome.left_out is None]
    same_status, same = sum(each.is_same_status for each in told), sum(each.is_same for each in told)
    return f"{name:<10} {len(outcomes):>9} {len(told):>9} {same_status:>12} {same:>20}"


def explained(outcome: Outcome) -> Iterator[str]:
    yield f"  {outcome.step.method} {outcome.step.path.partition('?')[0]}: {outcome.status or 'left out'}"
    for found in outcome.unexplained if outcome.left_out is None else [outcome.left_out]:
        yield f"    {found}"


def table(with_differences: bool) -> Iterator[str]:
    everything: list[Outcome] = []
    yield HEAD
    with Sandbox(port=0) as sandbox:
        for story in read():
            outcomes = replay(story, sandbox)
            everything += outcomes
            yield row(story.name, outcomes)
            for outcome in outcomes if with_differences else []:
                yield from explained(outcome) if not outcome.is_same else ()
    yield row("all", everything)


if __name__ == "__main__":
    for line in table("--differences" in sys.argv[1:]):
        sys.stdout.write(f"{line}\n")

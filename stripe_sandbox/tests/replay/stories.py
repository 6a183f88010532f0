"""The recorded stories: requests that were made to the real Stripe, in order, each with its status and answer."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("recorded.jsonl")


@dataclass(frozen=True)
class Step:
    """A request and the answer that Stripe gave; `at` is the instant of it."""

    at: int
    method: str
    path: str
    form: str
    status: int
    answer: dict[str, Any]


@dataclass(frozen=True)
class Given:
    """A request that makes what the story takes for granted; `id` is what the story calls it."""

    at: int
    method: str
    path: str
    form: str
    id: str


@dataclass(frozen=True)
class Story:
    number: int
    version: str
    given: list[Given]
    steps: list[Step]

    @property
    def name(self) -> str:
        return f"story-{self.number:02d}"


def read() -> list[Story]:
    rows = [json.loads(line) for line in DATA.read_text().splitlines()]
    return [
        Story(
            number, row["version"], [Given(*entry) for entry in row["given"]], [Step(*entry) for entry in row["steps"]]
        )
        for number, row in enumerate(rows, 1)
    ]

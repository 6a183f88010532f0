"""The state as a file: plain JSON, written beside itself and moved into place."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from .store import State

PLAIN = ("seed", "made", "notes", "settings", "answers")


def save(state: State, path: Path) -> None:
    document: dict[str, Any] = {name: getattr(state, name) for name in PLAIN}
    document["offset"] = state.clock.offset
    document["due"] = state.due
    document["calls"] = [[*key, count] for key, count in state.calls.items()]
    document["deliveries"] = list(state.deliveries)[-1000:]
    document["objects"] = [row for table in state.tables.values() for i in table.order if (row := table.rows.get(i))]
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(document))
    os.replace(beside, path)


def load(path: Path) -> State:
    document = json.loads(path.read_text())
    state = State(document["seed"])
    for name in PLAIN:
        setattr(state, name, document[name])
    state.clock.offset = document["offset"]
    state.due = [tuple(job) for job in document["due"]]
    state.calls = Counter({(method, path): count for method, path, count in document["calls"]})
    state.deliveries.extend(document["deliveries"])
    for row in document["objects"]:
        state.put(row)
        if row["object"] == "event" and row["pending_webhooks"]:
            state.undelivered[row["id"]] = None
    return state

"""The state is saved as plain JSON, written to a file beside the old one and moved into its place."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from .store import SETTINGS, State
from .undoing import Rows

LOST_AT_MOST = 1_000_000  # ids given out since the file was written: whoever was killed has told clients of them
PLAIN = ("seed", "made", "notes", "settings", "answers")


class NotAState(Exception):
    """The file exists but holds no state of ours, or cannot be read; the message says which, and what to do."""


def save(state: State, path: Path) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_text(document(state))
    os.replace(beside, path)


def document(state: State) -> str:
    document: dict[str, Any] = {name: getattr(state, name) for name in PLAIN}
    document["offset"] = state.clock.offset
    document["due"] = state.due
    document["calls"] = [[*key, count] for key, count in state.calls.items()]
    document["deliveries"] = list(state.deliveries)[-1000:]
    document["objects"] = [row for table in state.tables.values() for i in table.order if (row := table.rows.get(i))]
    return json.dumps(document)


def load(path: Path) -> State:
    """Load the state from the file. Raises `NotAState`; the file is left as it is."""
    try:
        return restored(json.loads(path.read_text()))
    except OSError as error:
        raise NotAState(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotAState(
            f"{path} does not hold a sandbox's state ({type(error).__name__}: {str(error)[:200]}). "
            "It was left as it is: move it away to begin anew, or name another file."
        ) from error


def restored(document: dict[str, Any]) -> State:
    state = State(document["seed"])
    for name in PLAIN:
        setattr(state, name, document[name])
    state.notes = Rows(state.journal, document["notes"])
    state.settings = {**SETTINGS, **state.settings}
    state.clock.offset = document["offset"]
    state.due = [tuple(job) for job in document["due"]]
    state.calls = Counter({(method, path): count for method, path, count in document["calls"]})
    state.deliveries.extend(document["deliveries"])
    for row in document["objects"]:
        state.put(row)
        if row["object"] == "event" and row["pending_webhooks"]:
            state.undelivered[row["id"]] = None
    return state

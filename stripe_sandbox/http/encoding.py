"""Answers are encoded as JSON. An object that is the same as in an earlier answer is not encoded again."""

import json
import marshal
import threading
from typing import Any

from .embedding import shortened

PAGES = ("list", "search_result")
MOST_KEPT = 1024
# No object contains itself, so nothing is spent on looking for one that does.
plain = json.JSONEncoder(check_circular=False).encode


class Encoder:
    """An encoder keeps the JSON of the objects that it met last, each with the bytes of what it was made from.

    Comparing those bytes takes a quarter of the time, and nobody need say that an object was changed.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.most = most
        self.kept: dict[str, tuple[bytes, str]] = {}
        self._keeping = threading.Lock()

    def encoded(self, answer: dict[str, Any]) -> bytes:
        """Return the answer as JSON, with its embedded lists cut."""
        if answer.get("object") not in PAGES:
            return self._object(answer).encode()
        members = [f"{plain(name)}: {self._member(name, value)}" for name, value in answer.items()]
        return f"{{{', '.join(members)}}}".encode()

    def _member(self, name: str, value: Any) -> str:
        return f"[{', '.join([self._object(entry) for entry in value])}]" if name == "data" else plain(value)

    def _object(self, value: dict[str, Any]) -> str:
        identifier = value.get("id")
        if identifier is None:
            return plain(shortened(value))
        source = marshal.dumps(value, 2)  # later formats also say which parts of it are one and the same
        known = self.kept.get(identifier)
        if known is None or known[0] != source:
            known = source, plain(shortened(value))
            self._keep(identifier, known)
        return known[1]

    def _keep(self, identifier: str, known: tuple[bytes, str]) -> None:
        """Keep it as the latest. One process may have several sandboxes, which ask at the same time."""
        with self._keeping:
            self.kept.pop(identifier, None)
            if len(self.kept) >= self.most:
                del self.kept[next(iter(self.kept))]
            self.kept[identifier] = known


encoded = Encoder().encoded

"""The router finds the function for a request in its table; each resource module registers its functions there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .messages import Response

Handler = Callable[..., dict[str, Any] | Response]
Registered = TypeVar("Registered", bound=Handler)
Key = tuple[str, int, str]
ALWAYS = frozenset({"expand"})
PAGING = frozenset({"limit", "starting_after", "ending_before"})


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    handler: Handler
    params: str
    covered: frozenset[str] = field(default=frozenset())
    tolerated: frozenset[str] = field(default=frozenset())

    @property
    def segments(self) -> list[str]:
        return self.pattern.strip("/").split("/")


def _key(method: str, path: str) -> Key:
    """Return what a path and the pattern of its route have in common: method, number of segments, and the family."""
    segments = path.split("/", 3)
    return method, path.count("/"), segments[2] if len(segments) > 2 else ""


class Router:
    """The router finds a route by method and number of segments; a literal segment wins over a placeholder."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self._compiled: dict[Key, list[tuple[re.Pattern[str], Route]]] = {}

    def add(
        self, method: str, pattern: str, params: str, covered: str = "", tolerated: str = ""
    ) -> Callable[[Registered], Registered]:
        """Add a route. `covered` are the parameters that are acted on; `tolerated` ones may differ from the SDK's
        types."""
        names = ALWAYS | frozenset(covered.split()) | (PAGING if re.search(r"List\w*Params$", params) else frozenset())

        def register(handler: Registered) -> Registered:
            route = Route(method, pattern, handler, params, names, frozenset(tolerated.split()))
            self.routes.append(route)
            # A search is not the object of that name.
            expression = re.sub(r"\{(\w+)\}", r"(?P<\1>(?!search$)[^/]+)", pattern)
            alike = self._compiled.setdefault(_key(method, pattern), [])
            alike.append((re.compile(expression), route))
            alike.sort(key=lambda entry: "{" in entry[1].pattern)
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for expression, route in self._compiled.get(_key(method, path), ()):
            if match := expression.fullmatch(path):
                return route, match.groupdict()
        return None


api = Router()

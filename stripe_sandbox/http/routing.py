"""The router finds the function for a request in its table; each resource module registers its functions there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .messages import Response

Handler = Callable[..., dict[str, Any] | Response]
Registered = TypeVar("Registered", bound=Handler)
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


class Router:
    """The router finds a route by method and number of segments; a literal segment wins over a placeholder."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self._compiled: list[tuple[str, re.Pattern[str], Route]] = []

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
            self._compiled.append((method, re.compile(expression), route))
            self._compiled.sort(key=lambda entry: "{" in entry[2].pattern)
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for known, expression, route in self._compiled:
            if known == method and (match := expression.fullmatch(path)):
                return route, match.groupdict()
        return None


api = Router()

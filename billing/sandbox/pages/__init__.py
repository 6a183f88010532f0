"""The hosted pages."""

from ..api import Request, Response
from ..store import State


def answer(state: State, request: Request) -> Response:
    return Response(404, b"")

"""The server, the API, the pages and the control plane hand these requests and responses to each other."""

import json
from dataclasses import dataclass, field

from ..errors import ApiError


@dataclass
class Request:
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def refusal(error: ApiError, request_id: str) -> Response:
    """Return the error as the API shows it."""
    return Response(error.status, json.dumps(error.body(request_id), indent=2).encode(), dict(error.headers))

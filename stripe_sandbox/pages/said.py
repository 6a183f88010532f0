"""After a button was pressed, the first page shows a sentence from here. It stands in the address, with a mark by which
it is known as ours."""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs, urlencode

KEY = secrets.token_bytes(16)


def address(words: str, *, is_error: bool = False) -> str:
    """Return the address of the first page, where it says these words."""
    name = "error" if is_error else "said"
    return f"/?{urlencode({name: words, 'mark': _mark(name, words)})}"


def read(query: str) -> dict[str, str]:
    """Return `said` or `error`; nothing for words that somebody else put into a link."""
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    for name in ("said", "error"):
        if hmac.compare_digest(
            _mark(name, given.get(name, "")), given.get("mark", "").encode().decode("ascii", "replace")
        ):
            return {name: given[name]} if name in given else {}
    return {}


def _mark(name: str, words: str) -> str:
    return hmac.new(KEY, f"{name}:{words}".encode(), hashlib.sha256).hexdigest()[:32]

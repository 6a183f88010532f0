"""What may leave in a log line or an error report: ids, never a person, a secret or a signature."""

import re
from typing import Any

REDACTED = frozenset(
    {"authorization", "body", "card", "cookie", "email", "name", "password", "payload", "secret", "token"}
)
HIDDEN = "[redacted]"
# A bound, so that a long text without "@" is not read once for each of its characters; RFC 5321 allows 64.
LOCAL_PART = r"""(?:"[^"\n]{1,64}"|[^\s@<>"'(),:;\[\]\\]{1,256})"""
PERSONAL_OR_SECRET = re.compile(
    rf"{LOCAL_PART}@[^\W_][\w-]*(?:\.[\w-]+)+"  # e-mail addresses, in any script
    r"|\b(?:sk|rk)_(?:live|test)_\w+|\bwhsec_\w+|\bSG\.[\w.-]{10,}|\bv[01]=[0-9a-f]{64}"  # keys, secrets, signatures
    r"|\b[a-z]+_\w+_secret_\w+"  # client secrets: pi_…_secret_…
    r"|(?<=://)[^/\s:@]*:[^/\s]+(?=@)"  # name and password in an address, or a password alone
)


def scrubbed(value: Any) -> Any:
    """The same value, with what is under a key of `REDACTED` masked, and in all its texts what looks like the above."""
    if isinstance(value, str):
        return PERSONAL_OR_SECRET.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {key: HIDDEN if key in REDACTED else scrubbed(item) for key, item in value.items()}
    return type(value)(map(scrubbed, value)) if type(value) in (list, tuple) else value

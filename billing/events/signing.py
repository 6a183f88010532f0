"""Events are signed as Stripe signs them: by the doctor, which posts one of its own, and by tests."""

import hashlib
import hmac
import time


def sign(body: bytes, secret: str, at: int | None = None) -> str:
    """Return the `Stripe-Signature` header of `body`, made `at` these UTC seconds (now by default)."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"

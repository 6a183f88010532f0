"""Texts of a customer have the bounds that Stripe's docs name; an address must look like one."""

import re
from typing import Any

from ..errors import invalid

LONGEST = {"name": 256, "phone": 20, "email": 512, "description": 5000}
AN_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def check(params: dict[str, Any]) -> None:
    """Refuse a text that Stripe would not keep."""
    for name, most in LONGEST.items():
        value = params.get(name)
        if isinstance(value, str) and len(value) > most:
            raise invalid(f"Invalid string: {value[:4]}...{value[-4:]}; must be at most {most} characters", name)
    email = params.get("email")
    if email and not AN_ADDRESS.fullmatch(email):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")

"""These two functions hold the one rule of which e-mail addresses we accept and how we spell them.

Sign-up, API, admin, `createsuperuser` and every look-up go through these two functions.
"""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# Names of RFC 6761 under which nobody receives mail. Ours of deleted accounts is among them. `.test` is left to tests.
RESERVED = frozenset({"example", "invalid", "localhost"})
INVISIBLE = frozenset({"Cc", "Cf"})

ODD = "This address has characters that cannot be seen, or quotes. Type it without them."
UNREACHABLE = "No mail reaches a domain that is written like this. Use another address."
LITERAL = "This address names a machine by its number. Use one with a domain: ada@example.com"
NOBODYS = "Nobody receives mail at this address. Use an address of yours."


def spelled(address: str) -> str:
    """Return the address in the one spelling we store and compare: lower case, with its domain in ASCII (IDNA).

    Text that is not an address comes back in lower case, so that a look-up by it finds nobody.
    """
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local}{at}{_ascii(domain)}"


def check(address: str) -> None:
    """Raise `ValidationError` unless this is an address that somebody can own and that hides nothing."""
    if '"' in address or any(unicodedata.category(character) in INVISIBLE for character in address):
        raise ValidationError(ODD, code="invalid")
    domain = spelled(address).rpartition("@")[2]
    if domain.startswith("["):
        raise ValidationError(LITERAL, code="invalid")
    if not domain.isascii():
        raise ValidationError(UNREACHABLE, code="invalid")
    if domain.rstrip(".").rpartition(".")[2] in RESERVED:
        raise ValidationError(NOBODYS, code="reserved")
    validate_email(spelled(address))


def _ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode()
    except idna.IDNAError:
        return domain

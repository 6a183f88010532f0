"""One rule says which e-mail addresses we accept, and how we spell them.

Sign-up, API, admin, `createsuperuser` and every look-up use these two functions.
"""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

# RFC 6761 reserves these names, and nobody receives mail there. Deleted accounts get one of them. Tests use `.test`.
RESERVED = frozenset({"example", "invalid", "localhost"})
INVISIBLE = frozenset({"Cc", "Cf"})

ODD = _("This address contains quotes or invisible characters. Type it without them.")
UNREACHABLE = _("This is not a valid domain name. Use another address.")
LITERAL = _("This address has a number instead of a domain. Use one with a domain, such as ada@example.com.")
NOBODYS = _("Nobody receives e-mail at this address. Use your own address.")


def spelled(address: str) -> str:
    """Return the address in the one spelling that we store and compare: lower case, with the domain in ASCII (IDNA).

    Text that is not an address is returned in lower case, so that a look-up finds nobody.
    """
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local}{at}{_ascii(domain)}"


def check(address: str) -> None:
    """Raise `ValidationError` for an address that is invalid, contains hidden characters, or belongs to nobody."""
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

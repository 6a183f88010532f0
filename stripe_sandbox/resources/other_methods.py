"""Payment methods that are no cards are made and shown. What would attach or charge one is refused by name.

Sources: the answers recorded in `tests/replay`, and the SDK's types.
"""

import hashlib
from typing import Any

from ..errors import missing_parameter
from ..store import Object

BICS = {
    "abn_amro": "ABNANL2A", "asn_bank": "ASNBNL21", "bunq": "BUNQNL2A", "handelsbanken": "HANDNL2A", "ing": "INGBNL2A",
    "knab": "KNABNL2H", "moneyou": "MOYONL21", "n26": "NTSBDEB1", "rabobank": "RABONL2U", "regiobank": "RBRBNL21",
    "revolut": "REVOLT21", "sns_bank": "SNSBNL2A", "triodos_bank": "TRIONL2U", "van_lanschot": "FVLBNL22",
}  # fmt: skip
NEEDED = {
    "acss_debit": ("account_number", "institution_number", "transit_number"),
    "alipay": (),
    "boleto": ("tax_id",),
    "eps": (),
    "giropay": (),
    "ideal": (),
    "p24": (),
    "sofort": ("country",),
}
COVERED = (
    "acss_debit.account_number acss_debit.institution_number acss_debit.transit_number alipay boleto.tax_id eps.bank "
    "giropay ideal.bank p24.bank sofort.country"
)


def details(kind: str, given: dict[str, Any]) -> Object:
    """Return the object under the name of its type, as Stripe shows it."""
    for name in NEEDED[kind]:
        if not given.get(name):
            raise missing_parameter(f"{kind}[{name}]")
    if kind == "acss_debit":
        return _account(given)
    if kind == "boleto":
        return {"fingerprint": _fingerprint(given["tax_id"]), "tax_id": given["tax_id"]}
    if kind == "ideal":
        return {"bank": given.get("bank"), "bic": BICS.get(given.get("bank", ""))}
    return {"bank": given.get("bank")} if kind in ("eps", "p24") else dict(given)


def _account(given: dict[str, Any]) -> Object:
    number = given["account_number"]
    shown = {name: given[name] for name in ("institution_number", "transit_number")}
    return {"bank_name": "STRIPE TEST BANK", "fingerprint": _fingerprint(number), "last4": number[-4:], **shown}


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]

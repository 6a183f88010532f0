"""Actions on a customer's page are grouped by what they are about, so that a button is found among twenty."""

from collections.abc import Iterable

from .action import Action

GROUPS = {
    "Access": "refresh grant extend-grant end-grant hold release",
    "Subscription": (
        "change-plan quantity add-ons cancel resume pause resume-payments extend-trial end-trial let-trial-run "
        "discount end-discount discount-link map-price keep-price"
    ),
    "Money": "refund refund-money keep credit invoice send-invoice void finalize",
    "Account": "note merge accept-tax-id remove-tax-id end-unknown",
}


def grouped(actions: Iterable[Action]) -> list[tuple[str, list[Action]]]:
    """Return the actions by group, in order; what no group names stands in the last one."""
    left = {action.name: action for action in actions}
    found = [(name, [left.pop(each) for each in names.split() if each in left]) for name, names in GROUPS.items()]
    found[-1][1].extend(left.values())
    return [(name, some) for name, some in found if some]

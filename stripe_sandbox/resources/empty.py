"""These lists are empty, so that a client that syncs everything finds nothing instead of an error."""

from typing import Any

from ..http.contract import Params, fields_of, params_class
from ..http.listing import of_list
from ..http.routing import Handler, api
from ..store import Object, State

LISTS = {
    "/v1/application_fees": "ApplicationFeeListParams",
    "/v1/country_specs": "CountrySpecListParams",
    "/v1/coupons": "CouponListParams",
    "/v1/customers/{customer}/sources": "CustomerPaymentSourceListParams",
    "/v1/entitlements/active_entitlements": "entitlements.ActiveEntitlementListParams",
    "/v1/entitlements/features": "entitlements.FeatureListParams",
    "/v1/file_links": "FileLinkListParams",
    "/v1/files": "FileListParams",
    "/v1/identity/verification_reports": "identity.VerificationReportListParams",
    "/v1/identity/verification_sessions": "identity.VerificationSessionListParams",
    "/v1/issuing/authorizations": "issuing.AuthorizationListParams",
    "/v1/issuing/cardholders": "issuing.CardholderListParams",
    "/v1/issuing/cards": "issuing.CardListParams",
    "/v1/issuing/disputes": "issuing.DisputeListParams",
    "/v1/issuing/transactions": "issuing.TransactionListParams",
    "/v1/payouts": "PayoutListParams",
    "/v1/products/{product}/features": "ProductFeatureListParams",
    "/v1/promotion_codes": "PromotionCodeListParams",
    "/v1/reviews": "ReviewListParams",
    "/v1/subscription_schedules": "SubscriptionScheduleListParams",
    "/v1/transfers": "TransferListParams",
}
OWNERS = ("customer", "product")
# What dj-stripe asks in its own way: for no customer.
TOLERATED = {"/v1/entitlements/active_entitlements": "customer"}


def _nothing_at(path: str) -> Handler:
    def nothing(state: State, params: Params, **names: str) -> Object:
        for kind in OWNERS:
            if kind in names:
                state.get(kind, names[kind])
        return of_list([], params, path.format(**names))

    return nothing


def register() -> None:
    """Register an empty list where no resource answers already; a filter of nothing leaves nothing, so every parameter
    is covered."""
    for path, params in LISTS.items():
        if api.find("GET", path) is None:
            covered = " ".join(fields_of(params_class(params)))
            api.add("GET", path, params, covered, TOLERATED.get(path, ""))(_nothing_at(path))


@api.add("GET", "/v2/core/accounts", "v2.core.AccountListParams", "applied_configurations closed", "include page")
def accounts(state: State, params: Params) -> dict[str, Any]:
    """Answer with an empty list for the accounts of the second API."""
    return {"data": [], "next_page_url": None, "previous_page_url": None}

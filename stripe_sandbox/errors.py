"""Stripe's errors have a status and a body, and are raised from anywhere below the router."""

from typing import Any

DOCS = "https://stripe.com/docs/error-codes/"
HELP = "https://stripe.com/docs or we can help at https://support.stripe.com/"
SLASH = (
    "If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure "
    "you passed a valid (non-empty) identifier in your code. "
)
UNDOCUMENTED = {"property_expansion_max_depth"}


CALLED = {
    "invoiceitem": "Invoice Item",
    "checkout.session": "checkout.session",
    "payment_intent": "payment_intent",
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
}
IN_PATH = {"coupon": "coupon", "payment_intent": "intent", "plan": "plan", "price": "price", "setup_intent": "intent"}


class ApiError(Exception):
    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.details = {name: value for name, value in details.items() if value is not None}
        self.kind = kind
        self.message = message
        self.headers: dict[str, str] = {}
        self.is_outcome = False  # what was done until then stays, and is told

    def body(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind, **self.details}
        code = error.get("code", "")
        if code and code not in UNDOCUMENTED and not code.startswith("sandbox_"):
            error["doc_url"] = doc_url(code)
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error}


def doc_url(code: str) -> str:
    return DOCS + code.replace("_", "-")


def invalid(message: str, param: str | None = None, code: str | None = None, **details: Any) -> ApiError:
    return ApiError(400, message, param=param, code=code, **details)


def missing_resource(kind: str, identifier: str, param: str | None = None) -> ApiError:
    """Return the error for an id that does not exist: 404 if it is in the path, 400 in a parameter, as at Stripe."""
    name = CALLED.get(kind) or kind.rsplit(".", 1)[-1].replace("_", " ")
    message = f"No such {name}: '{identifier}'"
    return ApiError(400 if param else 404, message, code="resource_missing", param=param or IN_PATH.get(kind, "id"))


def unknown_route(method: str, path: str) -> ApiError:
    slash = SLASH if path.endswith("/") else ""
    return ApiError(404, f"Unrecognized request URL ({method}: {path}). {slash}Please see {HELP}.")


def missing_parameter(param: str) -> ApiError:
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unknown_parameter(param: str) -> ApiError:
    return invalid(f"Received unknown parameter: {param}", param, "parameter_unknown")


def not_covered(param: str) -> ApiError:
    return invalid(f"The sandbox does not cover the parameter {param} (Stripe does).", param, "sandbox_not_covered")


def route_not_covered(method: str, path: str) -> ApiError:
    return ApiError(400, f"The sandbox does not cover {method} {path} (Stripe does).", code="sandbox_not_covered")


def unauthorized(message: str) -> ApiError:
    return ApiError(401, message)


def declined(card_error: dict[str, Any]) -> ApiError:
    details = {name: value for name, value in card_error.items() if name not in {"type", "message", "doc_url"}}
    return ApiError(402, card_error["message"], "card_error", **details)

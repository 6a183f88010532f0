"""The calls of test_sdk about usage and credits: the SDK's name of each method → how it is called."""

from typing import Any

import stripe

from .sdk_calls import cus

GRANT: Any = {
    "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": 500}},
    "applicability_config": {"scope": {"price_type": "metered"}},
}
SCOPE: Any = {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}


def payload(w: Any) -> dict[str, str]:
    return {"stripe_customer_id": cus(w), "value": "5"}


def summaries(c: Any, w: Any) -> Any:
    bounds = {"start_time": 1_800_000_000, "end_time": 1_800_000_060}
    return c.v1.billing.meters.event_summaries.list(w["billing.meters.create"].id, {"customer": cus(w), **bounds})


def adjusted(service: Any, identifier: str) -> Any:
    return service.create({"event_name": "calls", "type": "cancel", "cancel": {"identifier": identifier}})


def streamed(c: Any, w: Any) -> Any:
    """A stream answers nothing; what it does is seen by the report that an unknown meter leads to."""
    token = w["v2.billing.meter_event_session.create"].authentication_token
    other = stripe.StripeClient(token, base_addresses={"meter_events": w["url"]})
    event: Any = {"event_name": "nobody's", "payload": payload(w)}
    other.v2.billing.meter_event_stream.create({"events": [event]})
    w["control"]("advance", seconds=15)
    return c.v2.core.events.list()


def granted(c: Any, w: Any) -> Any:
    return c.v1.billing.credit_grants.create({"customer": cus(w), **GRANT})


USAGE_CALLS = {
    "billing.meters.create": lambda c, w: c.v1.billing.meters.create(
        {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    ),
    "billing.meters.retrieve": lambda c, w: c.v1.billing.meters.retrieve(w["billing.meters.create"].id),
    "billing.meters.update": lambda c, w: c.v1.billing.meters.update(
        w["billing.meters.create"].id, {"display_name": "API calls"}
    ),
    "billing.meters.list": lambda c, w: c.v1.billing.meters.list({"status": "active"}),
    "billing.meters.deactivate": lambda c, w: c.v1.billing.meters.deactivate(w["billing.meters.create"].id),
    "billing.meters.reactivate": lambda c, w: c.v1.billing.meters.reactivate(w["billing.meters.create"].id),
    "billing.meter_events.create": lambda c, w: c.v1.billing.meter_events.create(
        {"event_name": "calls", "payload": payload(w), "identifier": "one"}
    ),
    "billing.meters.event_summaries.list": summaries,
    "billing.meter_event_adjustments.create": lambda c, w: adjusted(c.v1.billing.meter_event_adjustments, "one"),
    "v2.billing.meter_events.create": lambda c, w: c.v2.billing.meter_events.create(
        {"event_name": "calls", "payload": payload(w), "identifier": "two"}
    ),
    "v2.billing.meter_event_adjustments.create": lambda c, w: adjusted(c.v2.billing.meter_event_adjustments, "two"),
    "v2.billing.meter_event_session.create": lambda c, w: c.v2.billing.meter_event_session.create(),
    "v2.billing.meter_event_stream.create": streamed,
    "billing.credit_grants.create": granted,
    "billing.credit_grants.retrieve": lambda c, w: c.v1.billing.credit_grants.retrieve(
        w["billing.credit_grants.create"].id
    ),
    "billing.credit_grants.update": lambda c, w: c.v1.billing.credit_grants.update(
        w["billing.credit_grants.create"].id, {"metadata": {"order": "7"}}
    ),
    "billing.credit_grants.list": lambda c, w: c.v1.billing.credit_grants.list({"customer": cus(w)}),
    "billing.credit_grants.expire": lambda c, w: c.v1.billing.credit_grants.expire(granted(c, w).id),
    "billing.credit_grants.void_grant": lambda c, w: c.v1.billing.credit_grants.void_grant(granted(c, w).id),
    "billing.credit_balance_summary.retrieve": lambda c, w: c.v1.billing.credit_balance_summary.retrieve(
        {"customer": cus(w), "filter": SCOPE}
    ),
    "billing.credit_balance_transactions.list": lambda c, w: c.v1.billing.credit_balance_transactions.list(
        {"customer": cus(w)}
    ),
    "billing.credit_balance_transactions.retrieve": lambda c, w: c.v1.billing.credit_balance_transactions.retrieve(
        w["billing.credit_balance_transactions.list"].data[0].id
    ),
}

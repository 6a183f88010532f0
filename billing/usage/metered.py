"""A decorator counts a use for each request of a host project's view, and gives it back if the view fails."""

import uuid
from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from billing.access import payer

from .counting import consume, release
from .quotas import NoAccess, QuotaExceeded, SpendCapReached

View = Callable[..., Any]
REFUSED = (QuotaExceeded, NoAccess, payer.NobodyPays)
FAILED = 400


def as_json(_request: HttpRequest, refused: Exception) -> HttpResponseBase:
    """Answer 402 `quota_exceeded`, `spend_cap_reached`, or 403 `no_access`, `no_subscriber`: `{"code", "detail"}`."""
    codes: dict[type[Exception], tuple[int, str]] = {
        QuotaExceeded: (402, "quota_exceeded"),
        SpendCapReached: (402, "spend_cap_reached"),
    }
    codes |= {NoAccess: (403, "no_access")}
    status, code = codes.get(type(refused), (403, "no_subscriber"))
    return JsonResponse({"code": code, "detail": str(refused)}, status=status)


def metered(
    feature: str,
    *,
    cost: int | Callable[[HttpRequest], int] = 1,
    refuse: Callable[[HttpRequest, Exception], Any] = as_json,
    subscriber: Callable[[HttpRequest], Any] = payer.required_payer,
) -> Callable[[View], View]:
    """Count `cost` uses of a feature before the view runs, Django's or DRF's, sync or async.

    A view that raises, or answers with a status of 400 or above, gives them back. A request that may not use the
    feature never reaches the view: `refuse(request, error)` makes the answer to `QuotaExceeded`, `NoAccess` and
    `NobodyPays`, by default JSON with 402 or 403. `cost` may be a function of the request.
    """

    def begin(request: HttpRequest) -> Callable[[], Any]:
        who, key = subscriber(request), f"request:{uuid.uuid4()}"
        consume(who, feature, cost(request) if callable(cost) else cost, key)
        return partial(release, who, feature, key)

    return lambda view: (_awaited if iscoroutinefunction(view) else _called)(view, begin, refuse)


def _called(view: View, begin: View, refuse: View) -> View:
    @wraps(view)
    def count(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            undo = begin(request)
        except REFUSED as refused:
            return refuse(request, refused)
        try:
            answer = view(request, *args, **kwargs)
        except BaseException:
            undo()
            raise
        if answer.status_code >= FAILED:
            undo()
        return answer

    return count


def _awaited(view: View, begin: View, refuse: View) -> View:
    @wraps(view)
    async def count(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            undo = sync_to_async(await sync_to_async(begin)(request))
        except REFUSED as refused:
            return refuse(request, refused)
        try:
            answer = await view(request, *args, **kwargs)
        except BaseException:
            await undo()
            raise
        if answer.status_code >= FAILED:
            await undo()
        return answer

    return count

"""Checkout is served under /c/, payment links under /b/, invoices under /i/, a bank under /3ds/, the portal under /p/,
the other pages at /."""

from ..errors import ApiError
from ..http.messages import Request, Response
from ..http.origin import refuse_other_sites
from ..store import State
from . import authentication, checkout, invoice, overview, portal
from .rendering import page, stripe_js

ROOMS = {
    "3ds": authentication.answer,
    "b": checkout.visit,
    "c": checkout.answer,
    "i": invoice.answer,
    "p": portal.answer,
    "r": checkout.recover,
}


def answer(state: State, request: Request) -> Response:
    """Answer with a page, also for an error. The caller holds the state's lock."""
    room, *rest = request.path.strip("/").split("/")
    try:
        refuse_other_sites(request)
        if request.method not in ("GET", "HEAD", "POST"):
            raise ApiError(405, "This page answers GET and POST.")
        if room == "stripe.js" and not rest:
            return stripe_js()
        if room not in ROOMS:
            return overview.answer(state, request, [room, *rest])
        if not rest:
            raise ApiError(404, "There is no such page.")
        return ROOMS[room](state, request, rest)
    except ApiError as error:
        return page("message.html", error.status, title="That did not work", message=error.message)

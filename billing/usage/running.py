"""What the worker does about use beyond the limits each minute."""

from . import capping, doubts, meter_errors, reporting


def each_minute() -> str:
    """Make usage reports, settle those in doubt, send what is due, and tell who has reached a spend cap. Returns a
    summary for the queue."""
    made = reporting.cut_all()
    capping.announce_reached()
    settled = doubts.settle_all()
    sent = reporting.send_due()
    meter_errors.ask_of_late()
    return f"{made} usage reports made, {settled} in doubt, {sent} sent"

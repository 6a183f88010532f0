"""Logging writes readable lines in development and one JSON object for each line in production.

Lines carry the ids of event, lane, mail and subscriber, which are bound where the work begins. Request bodies and
personal data do not belong in a log: `config.scrubbing` masks them, in the texts of exceptions too.
"""

import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from billing import cause

from .scrubbing import scrubbed


def with_cause(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Add the cause of the line: the id of the event that is applied, or another actor."""
    if cause.current():
        event.setdefault("cause", cause.current())
    return {key: value for key, value in event.items() if value is not None}


def without_request(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Remove the request that Django attaches to its warnings."""
    event.pop("request", None)
    return event


def without_personal_data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask personal data. This runs last, so that it sees the texts of exceptions too."""
    cleaned: EventDict = scrubbed(dict(event))
    return cleaned


# Run for our own loggers and for those of the libraries alike.
SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    with_cause,
    without_request,
]


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(*, is_json: bool) -> dict[str, Any]:
    """Return Django's `LOGGING`. Tracebacks are printed without the values of local variables."""
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, without_personal_data, structlog.processors.JSONRenderer(default=str)]
        if is_json
        else [
            without_personal_data,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # One line per API call would drown the rest.
            "stripe": {"level": "WARNING"},
            # One line per queued and per finished task, likewise.
            "django-q": {"level": "WARNING"},
            # Django's own default also mails the administrators, with the request's body.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        },
    }

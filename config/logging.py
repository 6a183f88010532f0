"""Logs: readable lines in development, one JSON object a line in production.

Neither request bodies nor personal data belong in a log: whatever is passed under a key of `REDACTED` is masked.
"""

from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = frozenset(
    {"authorization", "body", "card", "cookie", "email", "name", "password", "payload", "secret", "token"}
)


def without_personal_data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask what is personal, and drop the whole request that Django attaches to its warnings."""
    event.pop("request", None)
    return {key: "[redacted]" if key in REDACTED else value for key, value in event.items()}


# Run for our own loggers and for those of the libraries alike.
SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    without_personal_data,
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
    """Django's `LOGGING`. Tracebacks are printed without the values of local variables."""
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if is_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
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

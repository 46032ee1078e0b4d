"""Logging: one line an event, on stderr, as JSON or for a terminal, with the ids of the conversation it belongs to.

Our code logs through `structlog.get_logger(__name__)`: an event name in past tense and key-value pairs, never speech.
Other libraries log through the standard library and come out of the same formatter, from WARNING up only: at DEBUG
some of them print whole requests, whatever our own level is.
"""

import logging
import sys
from contextlib import AbstractContextManager
from typing import Literal, TextIO

import structlog

from speakback.observe.privacy import without_speech_or_secrets

OWN_LOGGER = "speakback"
SILENT_LOGGERS = ("aiohttp.access",)
"""Access lines hold query strings, and those hold tokens."""

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "json"]


def configure_logging(level: Level, format: Format, stream: TextIO | None = None) -> None:
    """Set up logging for the process; may be called again. `stream` is stderr if not given."""
    target = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_speech_or_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )  # fmt: skip
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(format, target)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN_LOGGER).setLevel(level.upper())
    for name in SILENT_LOGGERS:
        logging.getLogger(name).disabled = True


def bind_session(session_id: str, correlation_id: str) -> AbstractContextManager[None]:
    """Within this context every log line of this task, and of tasks started in it, carries both ids.

    Threads do not inherit it: what an adapter's worker logs must name the session itself.
    """
    return structlog.contextvars.bound_contextvars(session_id=session_id, correlation_id=correlation_id)


def _renderer(format: Format, target: TextIO) -> structlog.typing.Processor:
    is_terminal = target.isatty()
    if format == "console" or (format == "auto" and is_terminal):
        # The default exception formatter would show local variables; ours arrive as text already.
        return structlog.dev.ConsoleRenderer(
            colors=is_terminal, exception_formatter=structlog.dev.plain_traceback, sort_keys=False
        )
    return structlog.processors.JSONRenderer()

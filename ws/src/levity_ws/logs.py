"""One event, one line: how every process of Levity writes its log.

`text` is for people at a terminal, `json` for Fluentd, Loki and their kind. Text from chargers ends
up in log lines; in neither format can it begin a line of its own or control a terminal.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType

__all__ = ["FIELDS", "FORMATS", "JsonFormatter", "TextFormatter", "configure", "formatter"]

FORMATS = ("text", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

FIELDS = (
    "charge_point",
    "connection",
    "message_id",
    "action",
    "transaction",
    "command",
    "alert",
    "edge",
)
"""The context of a line: `extra=` of a log call sets these, and `json` shows them as fields."""

_Trace = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None
)


class TextFormatter(logging.Formatter):
    """`2026-11-22 14:05:09,123 INFO    levity.ocpp.worker.loop: CP1: Heartbeat`.

    Unprintable characters are written as escapes. A traceback follows on indented lines, so that
    none of them looks like an event.
    """

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # its name in logging
        """The line itself."""
        record.message = visible(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: _Trace) -> str:  # noqa: N802
        """The traceback, indented."""
        return _set_in(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """The stack, indented."""
        return _set_in(stack_info)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: `time` (UTC), `level`, `logger`, `message`, and the FIELDS."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Everything beyond ASCII is escaped, so that readers need not know the
        encoding.
        """
        at = datetime.fromtimestamp(record.created, UTC)
        said: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value not in (None, ""):
                said[name] = value if isinstance(value, int | float) else str(value)
        if record.exc_info and record.exc_info[0] is not None:
            said["exception"] = record.exc_info[0].__name__
            said["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            said["stack"] = record.stack_info
        return json.dumps(said)


def visible(text: str) -> str:
    """The text with line breaks, colours and other control characters escaped."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _set_in(lines: str) -> str:
    return "\n".join(f"    {visible(line)}" for line in lines.split("\n"))


def formatter(environ: Mapping[str, str]) -> logging.Formatter:
    """The LEVITY_LOG_FORMAT; text if not set. Raises ValueError if it is invalid."""
    name = environ.get("LEVITY_LOG_FORMAT", "").strip().lower() or "text"
    if name not in FORMATS:
        raise ValueError(f"LEVITY_LOG_FORMAT={name!r}: use text or json")
    return JsonFormatter() if name == "json" else TextFormatter()


def level(environ: Mapping[str, str]) -> str:
    """The LOG_LEVEL; INFO if not set. Raises ValueError if it is invalid."""
    name = environ.get("LOG_LEVEL", "").strip().upper() or "INFO"
    if name not in LEVELS:
        raise ValueError(f"LOG_LEVEL={name!r}: write {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")
    return name


def configure(environ: Mapping[str, str]) -> None:
    """Set up logging in a process without Django. Raises ValueError if a variable is invalid."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(environ))
    logging.basicConfig(level=level(environ), handlers=[handler])
    for name in ("aio_pika", "aiormq", "websockets"):
        # Their INFO lines are about sockets and frames of the broker, not about chargers.
        logging.getLogger(name).setLevel(logging.WARNING)

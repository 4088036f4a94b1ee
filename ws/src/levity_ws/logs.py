"""One event, one line: how every process of Levity writes its log.

`text` is for people at a terminal, `json` for Fluentd, Loki and their kind. What a charger sends
ends up in log lines; in neither format can it begin a line of its own, or steer a terminal.
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
"""What a line is about: `extra=` of a log call sets them, and `json` shows them as fields."""

_Trace = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None
)


class TextFormatter(logging.Formatter):
    """`2026-11-22 14:05:09,123 INFO    levity.ocpp.worker.loop: CP1: Heartbeat`.

    Signs that no terminal shows are written as escapes. A traceback follows on lines that are
    set in, so none of them can be taken for an event.
    """

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # its name in logging
        """The line itself."""
        record.message = visible(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: _Trace) -> str:  # noqa: N802
        """The traceback, set in."""
        return _set_in(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """The stack, set in."""
        return _set_in(stack_info)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, and the FIELDS."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Everything beyond ASCII is escaped, so no reader needs to know an encoding."""
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
    """The text with escapes in the place of line breaks, colours and other control signs."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _set_in(lines: str) -> str:
    return "\n".join(f"    {visible(line)}" for line in lines.split("\n"))


def formatter(environ: Mapping[str, str]) -> logging.Formatter:
    """What LEVITY_LOG_FORMAT asks for; text where it says nothing. ValueError if it errs."""
    name = environ.get("LEVITY_LOG_FORMAT", "").strip().lower() or "text"
    if name not in FORMATS:
        raise ValueError(f"LEVITY_LOG_FORMAT={name!r}: use text or json")
    return JsonFormatter() if name == "json" else TextFormatter()


def level(environ: Mapping[str, str]) -> str:
    """LOG_LEVEL; INFO where it says nothing. ValueError if it errs."""
    name = environ.get("LOG_LEVEL", "").strip().upper() or "INFO"
    if name not in LEVELS:
        raise ValueError(f"LOG_LEVEL={name!r}: write {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")
    return name


def configure(environ: Mapping[str, str]) -> None:
    """Set up the log of a process that is not Django's. ValueError if a variable errs."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(environ))
    logging.basicConfig(level=level(environ), handlers=[handler])
    for name in ("aio_pika", "aiormq", "websockets"):
        # Their INFO lines tell of sockets and frames of the broker, not of chargers.
        logging.getLogger(name).setLevel(logging.WARNING)
